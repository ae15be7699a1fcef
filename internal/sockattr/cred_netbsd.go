package sockattr

// LOCAL_PEEREID has a struct unpcbid, see unix(4). x/sys knows neither.
const (
	credLevel  = 0
	credOption = 3
)

func credOf(c [8]uint32) Cred { return Cred{PID: int(c[0]), UID: int(c[1]), GID: int(c[2])} }
