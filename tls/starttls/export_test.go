package starttls

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// ParseMySQLGreeting is parseMySQLGreeting.
var ParseMySQLGreeting = parseMySQLGreeting

// LDAPResult receives a message and takes it apart.
func LDAPResult(ctx context.Context, s stream.ByteStream) (code int, diagnostic string, unread int, err error) {
	ses := sessionOver(s)
	message, err := ses.berMessage(ctx)
	if err != nil {
		return 0, "", 0, err
	}
	code, diagnostic, ok := ldapResult(message)
	if !ok {
		err = &ReplyError{}
	}
	return code, diagnostic, ses.s.Buffered(), err
}

// XMLElement receives an element.
func XMLElement(ctx context.Context, s stream.ByteStream) (element string, unread int, err error) {
	ses := sessionOver(s)
	element, err = ses.xmlElement(ctx)
	return element, ses.s.Buffered(), err
}

// Coded receives a reply with a code.
func Coded(ctx context.Context, s stream.ByteStream, bare bool) (reply string, unread int, err error) {
	ses := sessionOver(s)
	r, err := ses.code(ctx, "", bare)
	return r.String(), ses.s.Buffered(), err
}

func sessionOver(s stream.ByteStream) *session {
	limits := Limits{}.withDefaults()
	ses := &session{engine: &engine{limits: limits}, lines: limits.Lines}
	ses.use(s)
	return ses
}
