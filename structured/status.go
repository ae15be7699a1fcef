package structured

// A Status is where a group or a task is in its life.
type Status uint8

// The states of groups and tasks.
const (
	Running   Status = iota
	Starting         // a task has not called its ready yet; see Start
	Waiting          // a group's body has returned, its tasks have not
	Canceling        // the context is done, and the task still runs
	Done             // the task returned without an error
	Failed           // the task returned an error of its own
	Canceled         // the task ended because of its cancellation
)

func (s Status) String() string {
	names := [...]string{"running", "starting", "waiting", "canceling", "done", "failed", "canceled"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}
