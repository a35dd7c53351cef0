// One worker of emmett. It reads lines from its input and answers each with "done":
//   prepare register 100   name a hundred new streams
//   prepare append 100     make a hundred streams of the events so far
//   register               the first event of each of the streams, one write each
//   append                 load each of the streams, fold it, and append one event
import { createInterface } from "node:readline";

const [, , kind, address, told] = process.argv;
const { history, next } = JSON.parse(told);

// What it logs must not be taken for an answer.
console.log = console.error;

const openStore = async () => {
  if (kind === "sqlite") {
    const { getSQLiteEventStore } = await import("@event-driven-io/emmett-sqlite");
    return getSQLiteEventStore({ fileName: address });
  }
  const { getPostgreSQLEventStore } = await import("@event-driven-io/emmett-postgresql");
  return getPostgreSQLEventStore(address);
};

const store = await openStore();
const evolve = (state, { data }) => ({ happened: state.happened + 1, last: data });
const initialState = () => ({ happened: 0 });

// Its SQLite store now and then cannot commit, "SQL statements in progress": a caller tries again.
const persistent = async (operation) => {
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (error.code !== "SQLITE_BUSY") throw error;
    }
  }
};

let made = 0;
let streams = [];

const prepare = async (what, count) => {
  streams = Array.from({ length: Number(count) }, () => `incident-${made++}`);
  if (what === "append") {
    for (const stream of streams) await persistent(() => store.appendToStream(stream, history));
  }
};

const register = async () => {
  for (const stream of streams)
    await persistent(() =>
      store.appendToStream(stream, [history[0]], { expectedStreamVersion: "STREAM_DOES_NOT_EXIST" }),
    );
};

const append = async () => {
  for (const stream of streams) {
    await persistent(async () => {
      const { currentStreamVersion } = await store.aggregateStream(stream, { evolve, initialState });
      await store.appendToStream(stream, [next], { expectedStreamVersion: currentStreamVersion });
    });
  }
};

const work = { prepare, register, append };
for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...details] = line.split(" ");
  await work[what](...details);
  process.stdout.write("done\n");
}
await store.close?.();
process.exit(0);
