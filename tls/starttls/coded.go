package starttls

import (
	"context"
	"strings"
)

// A coded reply is one with a code of three digits, as of SMTP, FTP and NNTP
// (RFC 5321 section 4.2, RFC 959 section 4.2).
type coded struct {
	code  string
	lines []string // without the code
}

func (r coded) String() string { return r.code + " " + strings.Join(r.lines, " ") }

// negative tells whether the server declined for now (4) or for good (5).
func (r coded) negative() bool { return r.code[0] == '4' || r.code[0] == '5' }

// code receives a reply. The lines between the first and the last of FTP's need
// not have a code (bare), those of SMTP's must have the same.
func (ses *session) code(ctx context.Context, to string, bare bool) (coded, error) {
	var r coded
	for {
		line, err := ses.receive(ctx)
		if err != nil {
			return r, err
		}
		code, rest, more, ok := splitCode(line)
		switch {
		case r.code == "" && !ok, r.code != "" && !bare && (!ok || code != r.code):
			return r, &ReplyError{To: to, Reply: line}
		case r.code == "":
			r.code = code
		case !ok || code != r.code: // a bare line
			r.lines = append(r.lines, strings.TrimSpace(line))
			continue
		}
		r.lines = append(r.lines, rest)
		if !more {
			return r, nil
		}
	}
}

// splitCode splits "250-SIZE 100".
func splitCode(line string) (code, rest string, more, ok bool) {
	if len(line) < 3 || line[0] < '1' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return "", "", false, false
	}
	if len(line) == 3 {
		return line, "", false, true
	}
	return line[:3], line[4:], line[3] == '-', line[3] == '-' || line[3] == ' '
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// ask sends a command and returns the reply to it.
func (ses *session) ask(ctx context.Context, command string, bare bool) (coded, error) {
	if err := ses.send(ctx, command); err != nil {
		return coded{}, err
	}
	return ses.code(ctx, command, bare)
}
