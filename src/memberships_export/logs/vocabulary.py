"""Every event of the log: what it means, at which levels it is written, and what is told with it.

docs/logs.md is made from this, and each call that writes a line is held to it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event. Levels and fields are parted by spaces; not each line has all of the fields."""

    name: str
    levels: str
    fields: str
    meaning: str


_I, _W, _E = "INFO", "WARNING", "ERROR"
_ACCEPTING = (
    LogEvent("requested", _I, "export", "an export was accepted, and a worker is woken"),
    LogEvent("joined", _I, "export", "a request was answered with an export that is there already"),
    LogEvent("message_not_sent", _W, "export reason", "it was accepted; the sweeper will send its message"),
    LogEvent("address_changed", _I, "export", "its user has another verified address now: the file goes there"),
    LogEvent("cancelled", _I, "export status", "its user stopped it; `completed`: a mailing on purpose was called off"),
    LogEvent("resent", _I, "export mailing", "its user wants the file mailed again: the number of the mailing"),
)
_WORKING = (
    LogEvent("claimed", _I, "export token stage", "a worker took it"),
    LogEvent("stage_done", _I, "export stage seconds", "a stage is finished"),
    LogEvent("walk_again", _W, "export walk reason", "pages are fetched anew: rows moved, or the API forgot the place"),
    LogEvent("damaged", _W, "export key reason", "a stored file is not what was stored, and is made anew"),
    LogEvent("sending", _I, "export send as_link", "a mail is about to be handed over"),
    LogEvent("sent", _I, "export send evidence", "the mail service accepted the mail"),
    LogEvent("not_sent", _W, "export send evidence", "the mail service refused the mail: it did not leave"),
    LogEvent("sent_unconfirmed", _W, "export send evidence", "nobody can tell yet whether the mail left"),
    LogEvent("waiting", _W, "export code until reason", "it waits for something that will pass"),
    LogEvent("failed", _E, "export code reason", "it will not finish by itself"),
    LogEvent("failure_mail_not_sent", _W, "export detail", "the user was not told by mail that it failed, or not yet"),
    LogEvent("already_settled", _I, "export reason", "two workers settled one failure: harmless"),
    LogEvent("left", _I, "export status", "a worker let go of it"),
    LogEvent(
        "stopped",
        _I,
        "export reason clean",
        "with `reason`: this worker may not go on, another does or it was cancelled; `clean`: the process ended",
    ),
    LogEvent("not_noted", _W, "export action ip reason", "a member got their file; the audit log could not be told"),
    LogEvent("outcome_not_noted", _W, "export action reason", "an action was done; the audit log does not say how"),
    LogEvent("mail_event", _I, "export send delivery", "the webhook told something new of a mail"),
    LogEvent("mail_events_unmatched", _I, "count", "so many events of one batch name no mail of ours"),
    LogEvent("mail_name_missing", _E, "name", "a template names what is not there: a mail went out without it"),
)
_COMING_BACK = (
    LogEvent("sweep", _I, "oldest_unfinished_seconds", "a pass found exports that should be moving: age of the oldest"),
    LogEvent("swept", _I, "export action", "the sweeper did something for it"),
    LogEvent("not_swept", _W, "export reason", "the sweeper could not, and comes back to it"),
    LogEvent("abandoned", _I, "export token", "the process that held it has died; it goes on now"),
    LogEvent("not_recovered", _W, "reason", "exports of a dead process could not be taken over now"),
    LogEvent("brought_forward", _W, "export seconds", "its wait was set by a clock that was ahead, and begins anew"),
    LogEvent("erased", _I, "export", "an export was erased, also at the second look"),
    LogEvent("not_erased", _W, "export reason", "it could not be erased now; the next pass tries again"),
    LogEvent("message_of_erased", _I, "export", "a message of an export that was erased came, and was removed"),
    LogEvent("given_back", _W, "message code reason", "the record cannot be reached; the message comes again"),
    LogEvent("dead_letter", _W, "message reason", "a message that nobody understands"),
    LogEvent("redrive", _I, "export outcome", "an operator put it back on its way, or could not"),
    LogEvent("not_redriven", _W, "export reason", "a letter that was moved back to the queue became a letter again"),
    LogEvent("not_moved", _W, "queue reason", "SQS did not move the letters by itself; they were redriven one by one"),
    LogEvent("unreadable_record", _E, "export reason", "a record, damaged or of a newer version: lists leave it out"),
)
_OTHERS = (
    LogEvent("refused", _E, "by status reason", "`by` refuses us: a person has to mend it"),
    LogEvent("trouble", _W, "message code reason", "the store or the queue cannot be used at the moment"),
    LogEvent("unavailable", _W, "path reason", "something that an answer needs cannot be used at the moment"),
    LogEvent("key_set_unread", _E, "by status reason", "the identity provider's keys cannot be read at the moment"),
    LogEvent("key_skipped", _W, "where reason", "a key of that set is not used; told once for each"),
    LogEvent("provider_unanswered", _E, "by status reason", "the identity provider does not tell who a token is of"),
    LogEvent("internal_error", _E, "export message error at", "a bug; it is tried again"),
    LogEvent("unforeseen_error", _E, "instance path", "a bug; a client was answered 500 with this `instance`"),
)
_PROCESS = (
    LogEvent("profile", _I, "name sha256 columns paginator proof", "at the start: how this process asks the API"),
    LogEvent("api_checked", f"{_I} {_W}", "problems canary reason", "after the start: what a call to the API found"),
    LogEvent("limits", f"{_I} {_W}", "connections files reason", "at the start: how many connections there may be"),
    LogEvent("closed_to_others", _W, "folder count reason", "at the start: others could read files, and no longer can"),
    LogEvent("clock_jumped", _W, "seconds reason", "the clock of the machine was set; the process follows slowly"),
    LogEvent("crowded", _W, "connections reason", "all connections are taken"),
    LogEvent("turned_away", _I, "status code reason", "a client sent too much, too slowly, or no HTTP"),
    LogEvent("broken_off", _I, "path reason", "a client was gone before its request was whole"),
    LogEvent("left_out", "", "lines like", "so many lines like that one were not written; at their level"),
    LogEvent("metrics_answered", _I, "port", "this process answers /metrics, for all of the data folder"),
    LogEvent("metrics_not_answered", _W, "port reason", "it is its turn to answer, and the port cannot be opened"),
    LogEvent("metrics_unread", _W, "reason", "the gauges of /metrics could not be read, and grow old"),
    LogEvent("metrics_not_shared", _W, "reason", "what this process counts is not on the disk"),
    LogEvent("operated", _I, "export action status", "an operator steered an export"),
    LogEvent("audit_forgotten", _I, "count", "so many entries of the audit log were older than they are kept"),
    LogEvent("audit_not_forgotten", _W, "reason", "they could not be removed; the next pass tries again"),
    LogEvent("alerted", _I, "kind count", "somebody was woken"),
    LogEvent("alert_command", _I, "kind status said", "how the command that wakes somebody ended"),
    LogEvent("alert_failed", _E, "kind reason", "nobody could be woken; tried again while the trouble is there"),
    LogEvent("paused", _I, "drain", "an operator paused the work, in all processes"),
    LogEvent("resumed", _I, "", "an operator let the work go on"),
    LogEvent("process_started", _I, "name pid starts", "a process of the service; which one of this name"),
    LogEvent("process_ended", _W, "name pid pause reason", "it died; in so many seconds the next one starts"),
    LogEvent("stopping", _I, "signal drained", "a signal came, or nothing was left to do for `worker --drain`"),
)
EVENTS = (*_ACCEPTING, *_WORKING, *_COMING_BACK, *_OTHERS, *_PROCESS)
