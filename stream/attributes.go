package stream

import "github.com/strata-go/strata/attr"

// Unread is how many received bytes a layer holds that nobody has taken from
// it yet. Each layer that buffers answers for itself: the sum over
// Unread.All is what an upgrade of the connection would lose. It is live.
var Unread = attr.New[int]("stream.unread")
