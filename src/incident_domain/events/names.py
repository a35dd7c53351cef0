"""The wire names of all events.  These names are storage formats: once released, a name never changes.

A change of an event's fields is a new version of its name, with an upcaster from the one before.
"""

from collections.abc import Mapping
from typing import Final

from incident_domain.events import access as t
from incident_domain.events import agreements as a
from incident_domain.events import classification as c
from incident_domain.events import closure as e
from incident_domain.events import erasure as x
from incident_domain.events import imports as m
from incident_domain.events import investigation as i
from incident_domain.events import knowledge as k
from incident_domain.events import registration as r
from incident_domain.events import resolution as s
from incident_domain.events import service_levels as l
from incident_domain.events.event import Event

WIRE_NAMES: Final[Mapping[type[Event], str]] = {
    r.IncidentRegistered: "incident.registered.v2",
    r.CustomerCorrected: "incident.customer_corrected.v1",
    r.NumberAssigned: "incident.number_assigned.v1",
    r.AnalysisRecorded: "incident.analysis_recorded.v1",
    r.InteractionRecorded: "incident.interaction_recorded.v1",
    r.ConfigurationItemsAttached: "incident.configuration_items_attached.v1",
    r.RecordedAsNew: "incident.recorded_as_new.v1",
    r.IdentifiedAsSame: "incident.identified_as_same.v1",
    r.FurtherReportAdded: "incident.further_report_added.v1",
    r.SameAsUndone: "incident.same_as_undone.v1",
    r.FurtherReportWithdrawn: "incident.further_report_withdrawn.v1",
    r.LinkedAsChild: "incident.linked_as_child.v1",
    r.ChildLinked: "incident.child_linked.v1",
    r.UnlinkedFromParent: "incident.unlinked_from_parent.v1",
    r.ChildUnlinked: "incident.child_unlinked.v1",
    r.MajorDeclared: "incident.major_declared.v1",
    r.JudgedNotMajor: "incident.judged_not_major.v1",
    r.ManagementInformed: "incident.management_informed.v1",
    r.CustomerInformed: "incident.customer_informed.v1",
    c.Classified: "incident.classified.v1",
    c.Prioritised: "incident.prioritised.v1",
    c.MatchedToKnownError: "incident.matched_to_known_error.v1",
    c.NoMatchFound: "incident.no_match_found.v1",
    c.EscalatedToGroup: "incident.escalated_to_group.v1",
    c.AssignedToPerson: "incident.assigned_to_person.v1",
    c.HandOffRejected: "incident.hand_off_rejected.v1",
    c.EscalatedHierarchically: "incident.escalated_hierarchically.v1",
    i.Acknowledged: "incident.acknowledged.v1",
    i.ProgressReported: "incident.progress_reported.v1",
    i.CustomerNotified: "incident.customer_notified.v1",
    i.WorkaroundProvided: "incident.workaround_provided.v1",
    i.KnowledgeReviewed: "incident.knowledge_reviewed.v1",
    i.ReassessmentRequested: "incident.reassessment_requested.v1",
    i.ReassessmentAccepted: "incident.reassessment_accepted.v1",
    i.ReassessmentDeclined: "incident.reassessment_declined.v1",
    i.SolutionProposed: "incident.solution_proposed.v1",
    i.EffortRecorded: "incident.effort_recorded.v1",
    i.FindingsReported: "incident.findings_reported.v1",
    i.ChangeLinked: "incident.change_linked.v1",
    i.PutOnHold: "incident.put_on_hold.v1",
    i.WorkResumed: "incident.work_resumed.v1",
    s.ServiceRestored: "incident.service_restored.v1",
    s.Resolved: "incident.resolved.v1",
    e.ConfirmationRequested: "incident.confirmation_requested.v1",
    e.ResolutionConfirmed: "incident.resolution_confirmed.v1",
    e.ResolutionRejected: "incident.resolution_rejected.v1",
    e.Reopened: "incident.reopened.v1",
    e.RootCauseClassified: "incident.root_cause_classified.v1",
    e.RecordVerified: "incident.record_verified.v1",
    e.SatisfactionRecorded: "incident.satisfaction_recorded.v1",
    e.Closed: "incident.closed.v1",
    e.Cancelled: "incident.cancelled.v1",
    e.DeviationRecorded: "incident.deviation_recorded.v1",
    l.AgreementApplied: "incident.agreement_applied.v1",
    l.AgreementMoved: "incident.agreement_moved.v1",
    l.HoursRecounted: "incident.hours_recounted.v1",
    l.TargetWarned: "incident.target_warned.v1",
    l.TargetBreached: "incident.target_breached.v1",
    a.AgreementPublished: "agreement.published.v1",
    a.HolidayCorrected: "agreement.holiday_corrected.v1",
    k.ProblemRecorded: "known_error.problem_recorded.v1",
    k.KnownErrorDeclared: "known_error.declared.v1",
    k.WorkaroundRevised: "known_error.workaround_revised.v1",
    k.SolutionPublished: "known_error.solution_published.v1",
    k.KnownErrorRetired: "known_error.retired.v1",
    m.SourceRowKept: "import.row_kept.v1",
    m.RowsImported: "import.rows_imported.v1",
    x.PersonForgotten: "erasure.person_forgotten.v1",
    t.JournalExported: "access.exported.v1",
    t.JournalVerified: "access.verified.v1",
}
