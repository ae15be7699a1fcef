package starttls

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"strings"
)

// The XML of a stream never ends, so that it is received tag by tag, with limits, and
// only whole elements are given to encoding/xml.

const maxDepth = 8

var (
	errXML     = errors.New("not the XML of a stream")
	errTooLong = errors.New("an element is too long")
	errTooDeep = errors.New("elements nest too deep")
)

const (
	xmlStart = iota
	xmlEnd
	xmlEmpty
	xmlDeclaration
)

// An xmlTag is a tag as it came.
type xmlTag struct {
	before string // the text in front of it
	text   string // with the brackets
	name   string // with the prefix
	kind   int
}

// An xmlElement is any element.
type xmlElement struct {
	XMLName  xml.Name
	Children []xmlElement `xml:",any"`
	Text     string       `xml:",chardata"`
}

func parseElement(document string) (xmlElement, error) {
	var e xmlElement
	err := xml.Unmarshal([]byte(document), &e)
	return e, err
}

// xmlElement receives an element with all that is in it.
func (ses *session) xmlElement(ctx context.Context) (string, error) {
	var all strings.Builder
	for depth := 0; ; {
		tag, err := ses.xmlTag(ctx)
		if err != nil {
			return "", err
		}
		if depth == 0 && (strings.TrimSpace(tag.before) != "" || tag.kind == xmlEnd) || tag.kind == xmlDeclaration {
			return "", errXML
		}
		all.WriteString(tag.before + tag.text)
		if all.Len() > ses.limits.Line {
			return "", errTooLong
		}
		switch tag.kind {
		case xmlStart:
			depth++
		case xmlEnd:
			depth--
		}
		if depth > maxDepth {
			return "", errTooDeep
		}
		if depth == 0 {
			return all.String(), nil
		}
	}
}

// xmlTag receives up to the end of a tag, and nothing past it as far as it can tell.
func (ses *session) xmlTag(ctx context.Context) (xmlTag, error) {
	if err := ses.count(); err != nil {
		return xmlTag{}, err
	}
	var all []byte
	start, quote := -1, byte(0)
	for {
		piece, err := ses.s.ReceiveUntil(ctx, []byte(">"), ses.limits.Line)
		if err != nil {
			return xmlTag{}, hungUp(err)
		}
		if start < 0 {
			// A closing bracket in a text is legal, and nobody sends it.
			if start = bytes.IndexByte(piece, '<'); start < 0 {
				return xmlTag{}, errXML
			}
			quote = quoted(quote, piece[start:])
		} else {
			quote = quoted(quote, piece)
		}
		all = append(append(all, piece...), '>')
		if len(all) > ses.limits.Line {
			return xmlTag{}, errTooLong
		}
		if quote == 0 {
			return splitTag(string(all[:start]), string(all[start:]))
		}
	}
}

// quoted returns the quotation mark that is open at the end of a piece of a tag, or 0,
// where open is the one at its beginning. A bracket that follows is of a value then.
func quoted(open byte, piece []byte) byte {
	for _, c := range piece {
		switch {
		case c == open:
			open = 0
		case open == 0 && (c == '"' || c == '\''):
			open = c
		}
	}
	return open
}

// splitTag takes a tag apart. What starts with "<!" has no place in a stream (RFC 6120
// section 11.1).
func splitTag(before, text string) (xmlTag, error) {
	tag := xmlTag{before: before, text: text, kind: xmlStart}
	inside := text[1 : len(text)-1]
	switch {
	case strings.HasPrefix(inside, "!"), inside == "":
		return tag, errXML
	case strings.HasPrefix(inside, "?"):
		tag.kind = xmlDeclaration
	case strings.HasPrefix(inside, "/"):
		tag.kind = xmlEnd
	case strings.HasSuffix(inside, "/"):
		tag.kind = xmlEmpty
	}
	words := strings.Fields(strings.Trim(inside, "/?"))
	if len(words) == 0 {
		return tag, errXML
	}
	tag.name = words[0]
	return tag, nil
}
