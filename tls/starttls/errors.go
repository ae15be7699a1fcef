package starttls

import (
	"errors"
	"fmt"
)

// A Reason is why there is no TLS.
type Reason string

const (
	// NotOffered means that the server does not name TLS among what it can do.
	NotOffered Reason = "the server does not offer TLS"

	// Refused means that the server was asked for TLS and declined.
	Refused Reason = "the server refused to start TLS"

	// Preauthenticated means that the session is past the state in which TLS
	// can start (the PREAUTH greeting of IMAP).
	Preauthenticated Reason = "the server says that the session is authenticated already"

	// Declined means that the client went on without TLS.
	Declined Reason = "the client went on without TLS"
)

// An UnavailableError tells why a connection is not under TLS: as an error where
// the policy is [Required], as the attribute [Plaintext] where it is
// [Opportunistic].
type UnavailableError struct {
	Protocol string // such as "SMTP"
	Reason   Reason

	// Reply is what the peer said to it, if anything. It came in plaintext:
	// anybody may have written it, so do not show it as the peer's word.
	Reply string
}

func (e *UnavailableError) Error() string {
	if e.Reply == "" {
		return string(e.Reason)
	}
	return fmt.Sprintf("%s: %q", e.Reason, e.Reply)
}

// A ReplyError reports that the peer said something that does not fit, or that
// it does not want the connection. It is told apart from a plain lack of TLS
// because no policy makes it safe to go on.
type ReplyError struct {
	To    string // what was said to the peer, or "greeting"
	Reply string // what it said; see UnavailableError.Reply
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("%s: unexpected reply %q", e.To, e.Reply)
}

var (
	errNilStream    = errors.New("starttls: nil stream")
	errNilConfig    = errors.New("a server needs a tls.Config")
	errTooManyLines = errors.New("the peer says too much")
	errControl      = errors.New("control character in a line")
)

// checkWord makes sure that a word given by the user cannot end the command that it
// becomes a part of.
func checkWord(what, word string) error {
	for i := range len(word) {
		if word[i] <= ' ' || word[i] == 0x7f {
			return fmt.Errorf("%s %q has a space or control character", what, word)
		}
	}
	return nil
}
