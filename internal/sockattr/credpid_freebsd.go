package sockattr

// peerPID is 0: the Xucred of x/sys does not have what the kernel tells.
func peerPID(int) int { return 0 }
