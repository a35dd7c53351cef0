"""Incidents as people write them, in English and Spanish, and which open ones are truly like which new ones.

The labels say what an incident manager would want to see, not what the texts share.
Most open incidents stand beside others with much the same words and another trouble.
"""

from typing import Final

from attrs import frozen


@frozen
class Told:
    """An open incident: its summary, and what the analysis added."""

    summary: str
    symptoms: str = ""
    service: str | None = None
    place: str | None = None
    item: str | None = None


@frozen
class Case:
    """A new incident, and the names of the open ones that are the same or similar."""

    new: Told
    alike: tuple[str, ...]


OPEN: Final[dict[str, Told]] = {
    # Printing
    "print-jam": Told("Printer on the second floor keeps jamming", "paper stuck in tray 2 all the time"),
    "print-spooler": Told("Nobody can print, the jobs stay in the queue", "print spooler service stops"),
    "print-colour": Told("Colours come out wrong on the marketing printer", "magenta missing on all pages"),
    "print-label": Told("Label printer in the warehouse prints blank labels", place="warehouse"),
    "impresora-atasco": Told("La impresora de recepción atasca el papel", "se atasca en la bandeja 1"),
    "impresora-cola": Told("No se puede imprimir, los trabajos se quedan en la cola", "cola parada"),
    "impresora-toner": Told("La impresora pide tóner aunque acabamos de cambiarlo"),
    "escaner-correo": Told("El escáner no envía los documentos por correo", "error de autenticación SMTP"),
    # Mail and calendar
    "mail-down": Told("No mail since this morning, neither in nor out", "Outlook shows disconnected"),
    "mail-quota": Told("Mailbox is full, cannot send messages", "quota exceeded warning"),
    "mail-attachment": Told("Attachments over 10 MB are rejected when sending"),
    "mail-spam": Told("Customer messages end up in the spam folder"),
    "mail-phone": Told("Email does not sync on my phone", "iPhone asks for the password again and again"),
    "calendar-shared": Told("Cannot see the shared team calendar", "permission error when opening it"),
    "correo-caido": Told("El correo no funciona en toda la oficina", "Outlook aparece desconectado"),
    "correo-lleno": Told("Buzón lleno, no puedo enviar correos"),
    "correo-firma": Told("La firma del correo sale con el logotipo antiguo"),
    "correo-movil": Told("El correo no se sincroniza en el móvil", "pide la contraseña continuamente"),
    # Accounts and access
    "account-locked": Told("Account locked after too many wrong passwords"),
    "password-expired": Told("My password has expired and I cannot change it", "error on the change page"),
    "mfa-lost": Told("Lost my phone, need a new authenticator code for sign-in"),
    "access-folder": Told("No access to the finance shared folder", "access denied on the network drive"),
    "access-new-employee": Told("New employee needs an account and a mailbox on Monday"),
    "sso-loop": Told("Single sign-on sends me back to the login page in a loop"),
    "cuenta-bloqueada": Told("Mi cuenta está bloqueada", "demasiados intentos fallidos de contraseña"),
    "contrasena-caducada": Told("Ha caducado mi contraseña y no me deja cambiarla"),
    "acceso-carpeta": Told("No tengo acceso a la carpeta compartida de contabilidad", "acceso denegado"),
    "acceso-permisos-sap": Told("Me faltan permisos en SAP para aprobar pedidos", service="SAP"),
    # Network
    "vpn-drop": Told("VPN drops every ten minutes when working from home", "reconnects by itself"),
    "vpn-cannot": Told("Cannot connect to the VPN at all", "error 809 in the client", service="vpn"),
    "wifi-meeting": Told("Wi-Fi is very slow in the meeting rooms", place="building B"),
    "wifi-guest": Told("Guests cannot log on to the guest wireless network"),
    "network-floor": Told("The whole third floor has no network", "switch is dark", place="third floor"),
    "internet-slow": Told("Internet is slow for everybody since the weekend", "web pages take a minute"),
    "dns": Told("Host names do not resolve, only addresses work", "nslookup times out"),
    "vpn-corte": Told("La VPN se corta cada pocos minutos en teletrabajo"),
    "vpn-conecta": Told("No consigo conectar con la VPN", "error 809 en el cliente", service="VPN"),
    "wifi-lento": Told("El wifi va muy lento en la sala de reuniones"),
    "red-planta": Told("La segunda planta está sin red", "el switch está apagado", place="segunda planta"),
    "internet-caido": Told("No hay internet en la delegación de Sevilla", place="Sevilla"),
    # Telephony and meetings
    "phone-dead": Told("Desk phone is dead, no dial tone"),
    "phone-transfer": Told("Calls are cut off when they are transferred to the call centre"),
    "headset": Told("Headset microphone does not work in video meetings", "others cannot hear me"),
    "camera": Told("Camera stays black in video calls"),
    "telefono-tono": Told("El teléfono fijo no da tono"),
    "llamadas-corte": Told("Las llamadas se cortan al transferirlas", "centralita"),
    "microfono": Told("No se oye mi micrófono en las reuniones de Teams"),
    "proyector": Told("El proyector de la sala grande no detecta el portátil"),
    # Workstations
    "blue-screen": Told("Laptop shows a blue screen when docking", "stop code DRIVER_POWER_STATE_FAILURE"),
    "laptop-slow": Told("My laptop has been extremely slow since the last update", "disk at 100 percent"),
    "laptop-battery": Told("Laptop battery lasts only half an hour"),
    "laptop-boot": Told("Laptop does not start, black screen after the logo"),
    "monitor-flicker": Told("External monitor flickers at full resolution"),
    "keyboard": Told("Several keys of my keyboard do not respond"),
    "update-loop": Told("Windows update fails and rolls back at every restart", "error 0x80070643"),
    "pantalla-azul": Told("Pantalla azul al conectar el portátil a la base", "se reinicia solo"),
    "portatil-lento": Told("El ordenador va lentísimo desde la actualización", "disco al 100 por cien"),
    "portatil-bateria": Told("La batería del portátil no dura nada"),
    "portatil-arranca": Told("El portátil no arranca, se queda la pantalla en negro"),
    "raton": Told("El ratón inalámbrico se desconecta"),
    "virus": Told("Antivirus alert about a trojan on my computer", "file quarantined"),
    "phishing": Told("Suspicious message asks for bank details", "I clicked the link and typed my password"),
    "phishing-es": Told("He recibido un correo sospechoso y pulsé el enlace", "pedía los datos del banco"),
    "ransom": Told("Files on the share have been renamed and cannot be opened", "a note asks for bitcoin"),
    # Business applications
    "sap-slow": Told("SAP takes minutes to open an order", "time-outs in transaction VA02", service="SAP"),
    "sap-dump": Told("SAP short dump when posting an invoice", "runtime error in FB60", service="SAP"),
    "sap-login": Told("SAP says that my user is locked", service="SAP"),
    "crm-search": Told("Searching for customers in the CRM gives no results", service="CRM"),
    "crm-export": Told("CRM export to Excel stops at a thousand rows", service="CRM"),
    "shop-payment": Told("Card payments fail in the web shop", "gateway returns 502", service="web shop"),
    "shop-basket": Told("Basket is emptied when a customer signs in to the web shop", service="web shop"),
    "shop-slow": Told("Product pages of the web shop load very slowly", service="web shop"),
    "payroll": Told("Payroll run stopped halfway", "job ended with a deadlock", service="payroll"),
    "intranet-500": Told("Intranet shows an error 500", service="intranet"),
    "report-empty": Told("Monthly sales report is empty", "data warehouse load did not run"),
    "report-numbers": Told("Sales report shows the wrong totals for March"),
    "sap-lento": Told("SAP va muy lento al abrir pedidos", "se agota el tiempo de espera", service="SAP"),
    "sap-factura": Told("SAP da un error al contabilizar facturas", "volcado en FB60", service="SAP"),
    "nomina": Told("El proceso de nóminas se ha quedado a medias", service="payroll"),
    "tienda-pago": Told("Los pagos con tarjeta fallan en la tienda en línea", service="web shop"),
    "tienda-carrito": Told("El carrito de la tienda se vacía al iniciar sesión", service="web shop"),
    "crm-duplicados": Told("En el CRM aparecen clientes duplicados", service="CRM"),
    "excel-macro": Told("Excel macros are blocked after the update", "security warning in red"),
    "excel-crash": Told("Excel closes by itself when I open a big workbook"),
    "excel-cierra": Told("Excel se cierra solo al abrir libros grandes"),
    "word-template": Told("Company templates are missing in Word"),
    "pdf": Told("PDF files open in the browser instead of the reader"),
    "teams-files": Told("Files in Teams cannot be opened by colleagues"),
    "onedrive-sync": Told("OneDrive stopped synchronising", "sync pending on every file"),
    "onedrive-es": Told("OneDrive ha dejado de sincronizar archivos"),
    # Servers and storage
    "disk-full": Told("Disk full on the file server", "no space left on volume D", item="srv-file-01"),
    "server-down": Told("File server does not answer", "no ping, console frozen", item="srv-file-02"),
    "backup-failed": Told("Nightly backup failed", "tape library offline", item="bck-01"),
    "database-slow": Told("Queries on the reporting database are slow", "no statistics", item="db-rep-01"),
    "database-lock": Told("Order entry hangs, sessions wait for locks on the database", item="db-ord-01"),
    "certificate": Told("Browser warns that the certificate of the portal has expired"),
    "power": Told("Power cut in the server room", "UPS on battery", place="server room"),
    "cooling": Told("Temperature alarm in the server room", "no air conditioning", place="server room"),
    "disco-lleno": Told("Disco lleno en el servidor de ficheros", "sin espacio en D", item="srv-file-01"),
    "servidor-caido": Told("El servidor de aplicaciones no responde", item="app-07"),
    "copia-fallida": Told("Ha fallado la copia de seguridad nocturna", item="bck-02"),
    "certificado": Told("El navegador avisa de que el certificado del portal ha caducado"),
    "luz": Told("Corte de luz en la sala de servidores", "SAI con batería", place="sala de servidores"),
    # Doors, badges, tills
    "badge": Told("My badge does not open the garage door"),
    "till": Told("Cash register in the shop does not print receipts", place="shop 12"),
    "scanner-warehouse": Told("Handheld scanners lose the connection in aisle 7", place="warehouse"),
    "tarjeta-puerta": Told("Mi tarjeta no abre la puerta del garaje"),
    "caja": Told("La caja registradora no imprime los tiques", place="tienda 12"),
    "escaner-almacen": Told("Los lectores del almacén pierden la conexión", place="almacén"),
}
"""What is open, by name."""


CASES: Final = (
    Case(Told("Paper jams in the printer on floor 2"), ("print-jam",)),
    Case(Told("Print jobs hang in the queue and nothing is printed"), ("print-spooler",)),
    Case(Told("The printer prints everything without magenta"), ("print-colour",)),
    Case(Told("Labels come out blank", place="Warehouse"), ("print-label",)),
    Case(Told("Atasco de papel en la impresora de la recepción"), ("impresora-atasco",)),
    Case(Told("Los trabajos de impresión no salen de la cola"), ("impresora-cola",)),
    Case(Told("Sigue pidiendo el toner nuevo la impresora"), ("impresora-toner",)),
    Case(Told("Al escanear no se envía el documento por correo"), ("escaner-correo",)),
    Case(Told("Outlook is disconnected, I get no mails"), ("mail-down",)),
    Case(Told("I cannot send because my mailbox quota is exceeded"), ("mail-quota",)),
    Case(Told("Sending a large attachment is rejected"), ("mail-attachment",)),
    Case(Told("My phone no longer syncs e-mails and keeps asking for a password"), ("mail-phone",)),
    Case(Told("Outlook desconectado y sin correos desde las nueve"), ("correo-caido",)),
    Case(Told("No puedo enviar correos porque tengo el buzon lleno"), ("correo-lleno",)),
    Case(Told("El movil no sincroniza los correos"), ("correo-movil",)),
    Case(Told("I typed the wrong password too often and now the account is locked"), ("account-locked",)),
    Case(Told("Expired password cannot be changed"), ("password-expired",)),
    Case(Told("Cuenta bloqueada por intentos fallidos"), ("cuenta-bloqueada",)),
    Case(Told("La contraseña está caducada, no la puedo cambiar"), ("contrasena-caducada",)),
    Case(Told("Access denied to finance folders on the shared drive"), ("access-folder",)),
    Case(Told("Carpetas compartidas de contabilidad: me deniega el acceso"), ("acceso-carpeta",)),
    Case(Told("Login page comes back in an endless loop"), ("sso-loop",)),
    Case(Told("My VPN connection keeps dropping at home"), ("vpn-drop",)),
    Case(Told("VPN client says error 809", service="VPN"), ("vpn-cannot", "vpn-conecta")),
    Case(Told("Error 809 al conectarme", service="vpn"), ("vpn-conecta", "vpn-cannot")),
    Case(Told("Se me corta la VPN teletrabajando"), ("vpn-corte",)),
    Case(Told("Slow wireless in meeting room B2", place="Building B"), ("wifi-meeting",)),
    Case(Told("No hay red en toda la planta segunda", place="Segunda planta"), ("red-planta",)),
    Case(Told("Sin internet", place="sevilla"), ("internet-caido",)),
    Case(Told("Names are not resolved by DNS, nslookup timed out"), ("dns",)),
    Case(Told("Transferring a call cuts it off"), ("phone-transfer",)),
    Case(Told("El teléfono de mesa no tiene tono"), ("telefono-tono",)),
    Case(Told("Se corta la llamada cuando la transfiero"), ("llamadas-corte",)),
    Case(Told("Nobody hears me in meetings, microphone of the headset is silent"), ("headset",)),
    Case(Told("En Teams no me oyen, el micrófono no funciona"), ("microfono",)),
    Case(Told("Blue screens each time I dock the laptop"), ("blue-screen",)),
    Case(Told("Computer extremely slow after updating, disk at 100 percent"), ("laptop-slow",)),
    Case(Told("Ordenador muy lento tras actualizarse"), ("portatil-lento",)),
    Case(Told("Portátil no enciende, pantalla negra al arrancar"), ("portatil-arranca",)),
    Case(Told("Update rolls back with 0x80070643"), ("update-loop",)),
    Case(Told("I clicked on a suspicious link in a message that asked for my bank password"), ("phishing",)),
    Case(Told("Correos sospechosos con un enlace al banco"), ("phishing-es",)),
    Case(Told("Orders open slowly and time out", service="SAP"), ("sap-slow", "sap-lento")),
    Case(Told("Error contabilizando una factura en FB60", service="SAP"), ("sap-factura", "sap-dump")),
    Case(Told("Paying by card fails, gateway 502", service="web shop"), ("shop-payment", "tienda-pago")),
    Case(Told("Pago con tarjetas fallido", service="Web Shop"), ("tienda-pago", "shop-payment")),
    Case(Told("Basket empties after signing in", service="web shop"), ("shop-basket", "tienda-carrito")),
    Case(Told("La nómina se paró a la mitad", service="payroll"), ("nomina", "payroll")),
    Case(Told("Excel crashes opening large workbooks"), ("excel-crash",)),
    Case(Told("Se cierra Excel cuando abro un libro grande"), ("excel-cierra",)),
    Case(Told("OneDrive no sincroniza ningún archivo"), ("onedrive-es",)),
    Case(Told("Cannot save, the disk is full", item="SRV-FILE-01"), ("disk-full", "disco-lleno")),
    Case(Told("Sin espacio en disco", item="srv-file-01"), ("disco-lleno", "disk-full")),
    Case(Told("Backups of last night failed, tape library is offline"), ("backup-failed",)),
    Case(Told("Falló la copia de seguridad de anoche"), ("copia-fallida",)),
    Case(Told("Order entry hangs on database locks"), ("database-lock",)),
    Case(Told("Expired certificate on the portal"), ("certificate",)),
    Case(Told("El certificado del portal está caducado"), ("certificado",)),
    Case(Told("UPS runs on batteries, no power", place="Server room"), ("power",)),
    Case(Told("La puerta del garaje no se abre con mi tarjeta"), ("tarjeta-puerta",)),
    Case(Told("Receipts are not printed by the cash registers", place="shop 12"), ("till",)),
    Case(Told("Scanners disconnect all the time in aisle 7", place="warehouse"), ("scanner-warehouse",)),
    # The same trouble in other words.
    Case(Told("I am locked out after entering my password wrongly"), ("account-locked",)),
    Case(Told("Nothing comes out of any printer, jobs pile up"), ("print-spooler",)),
    Case(Told("E-mail is dead for everyone"), ("mail-down",)),
    Case(Told("Notebook will not boot, screen stays black"), ("laptop-boot",)),
    Case(Told("Nadie puede navegar por la web", place="Sevilla"), ("internet-caido",)),
    Case(Told("Se ha ido la luz en el centro de datos"), ("luz",)),
    Case(Told("It is far too hot in the server room"), ("cooling",)),
    Case(Told("File server has run out of space"), ("disk-full", "disco-lleno")),
    Case(Told("Malware found on my computer"), ("virus",)),
    Case(Told("Customers cannot pay", service="web shop"), ("shop-payment", "tienda-pago")),
    Case(Told("Sale una pantalla azul y el equipo se apaga"), ("pantalla-azul",)),
    Case(Told("Mi ratón no va"), ("raton",)),
    Case(Told("The spreadsheet program quits by itself"), ("excel-crash",)),
    Case(Told("Las pistolas de códigos se quedan sin conexión"), ("escaner-almacen",)),
    Case(Told("Figures of last month are missing in the sales report"), ("report-empty",)),
    Case(Told("All documents have strange names and a ransom note lies beside them"), ("ransom",)),
    Case(Told("Trabajo desde casa y pierdo la conexión remota"), ("vpn-corte",)),
    Case(Told("No sale papel al cobrar", place="Tienda 12"), ("caja",)),
)
"""What comes in new, with its labels."""
