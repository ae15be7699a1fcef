// Package text sends and receives strings over byte streams.
//
// A [Stream] is an object stream of strings around a byte stream, a [Receiver]
// and a [Sender] are its halves, and a [Connector] makes Streams. The encoding
// is UTF-8 or any other of golang.org/x/text/encoding:
//
//	s := text.New(conn, nil)
//	for line, err := range s.Lines(ctx, 4096) {
//		if err != nil {
//			return err
//		}
//		handle(line)
//	}
//
// Strings are always UTF-8. They have no boundaries on the way: what is sent
// as one may be received as several, cut anywhere between two characters.
// Lines do have boundaries.
//
// # What cannot be decoded or encoded
//
// Config.Errors says what becomes of it: it is an error ([Strict], the
// default), is replaced, or is left out. UTF-8 is checked byte for byte. The
// decoders of the other encodings put U+FFFD where they cannot decode, and do
// not say so: Strict and Ignore therefore take every U+FFFD that one of them
// puts out for such a place, also the few that were sent as U+FFFD, which
// UTF-16, UTF-32 and GB18030 can.
//
// A byte order mark is removed, or written, once for each direction and only
// by encodings that have one: unicode.UTF8BOM, and unicode.UTF16 with UseBOM or
// ExpectBOM. Plain UTF-8 leaves U+FEFF alone.
//
// # Cancellation
//
// A canceled receiving call has taken nothing. A canceled Send has sent
// nothing of its string, or returns a *stream.PartialSendError: then the
// string counts as sent, and its rest goes first next time.
//
// # Ownership
//
// A Stream owns the byte stream: Close closes it. Bytes that it has received
// and nobody has taken are counted by the attribute stream.Unread.
package text
