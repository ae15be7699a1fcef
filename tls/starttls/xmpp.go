package starttls

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// XMPP starts TLS in XMPP (RFC 6120 section 5).
type XMPP struct {
	// To is the domain of the server. It must not be empty. Where TLS does not
	// name a server, it is the name to verify as well.
	To string

	// From is the domain or address that the stream comes from; it may be empty.
	From string

	// ServerToServer makes the stream one between servers, with the namespace
	// jabber:server in place of jabber:client.
	ServerToServer bool

	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient. It may be nil.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation: Line the size of an element, Lines the number
	// of tags. Elements nest to a depth of 8 at most.
	Limits Limits
}

// The names of RFC 6120.
const (
	xmppStreams = "http://etherx.jabber.org/streams"
	xmppTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
)

// Client negotiates as a client, or as the server that opens a stream to another. When
// it returns the stream is open, anew under TLS if that is what it is under, and the
// server has told its features: [Capabilities] has their names, each with the texts
// inside, such as "mechanisms PLAIN SCRAM-SHA-1". The next element is for the caller to send.
func (p XMPP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	cfg := p.TLS
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = p.To
	}
	e := engine{"XMPP", p.Policy, cfg, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		header, err := p.header()
		if err != nil {
			return err
		}
		return ses.xmppClient(ctx, header)
	})
}

// header returns the start of a stream.
func (p XMPP) header() (string, error) {
	for what, name := range map[string]string{"To": p.To, "From": p.From} {
		if err := checkWord(what, name); err != nil {
			return "", err
		}
		if strings.ContainsAny(name, `<>&'"`) {
			return "", fmt.Errorf("%s %q has a character of XML's", what, name)
		}
	}
	if p.To == "" {
		return "", fmt.Errorf("no domain: To is empty")
	}
	kind, from := "client", ""
	if p.ServerToServer {
		kind = "server"
	}
	if p.From != "" {
		from = " from='" + p.From + "'"
	}
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:" + kind + "' xmlns:stream='" + xmppStreams +
		"'" + from + " to='" + p.To + "' version='1.0'>", nil
}

func (ses *session) xmppClient(ctx context.Context, header string) error {
	open, features, err := ses.xmppOpen(ctx, header)
	if err != nil {
		return err
	}
	if !features.has(xmppTLS, "starttls") {
		ses.layer.capabilities = features.capabilities()
		return ses.unavailable(NotOffered, "")
	}
	if _, err := ses.s.Send(ctx, []byte("<starttls xmlns='"+xmppTLS+"'/>")); err != nil {
		return err
	}
	answer, err := ses.xmppElement(ctx, open)
	if err != nil {
		return err
	}
	switch answer.XMLName {
	case xml.Name{Space: xmppTLS, Local: "proceed"}:
	case xml.Name{Space: xmppTLS, Local: "failure"}:
		// The server closes the stream then (RFC 6120 section 5.4.2.2), so that
		// there is no plaintext to go on in.
		return &UnavailableError{Protocol: ses.protocol, Reason: Refused, Reply: "failure"}
	default:
		return &ReplyError{To: "starttls", Reply: answer.XMLName.Local}
	}
	if err := ses.startClient(ctx); err != nil {
		return err
	}
	_, features, err = ses.xmppOpen(ctx, header)
	if err != nil {
		return err
	}
	ses.layer.capabilities = features.capabilities()
	return nil
}

// xmppOpen opens a stream and returns the start of the server's and its features.
func (ses *session) xmppOpen(ctx context.Context, header string) (open xmlTag, features xmlElement, err error) {
	if _, err := ses.s.Send(ctx, []byte(header)); err != nil {
		return open, features, err
	}
	open, err = ses.xmlTag(ctx)
	if err == nil && strings.HasPrefix(open.text, "<?xml ") {
		open, err = ses.xmlTag(ctx)
	}
	if err != nil {
		return open, features, err
	}
	root, err := parseElement(open.text + "</" + open.name + ">")
	if err != nil || open.kind != xmlStart || root.XMLName != (xml.Name{Space: xmppStreams, Local: "stream"}) {
		return open, features, &ReplyError{To: "stream", Reply: open.text}
	}
	features, err = ses.xmppElement(ctx, open)
	if err == nil && features.XMLName != (xml.Name{Space: xmppStreams, Local: "features"}) {
		err = &ReplyError{To: "stream", Reply: features.XMLName.Local}
	}
	return open, features, err
}

// xmppElement receives an element of the stream that began with open.
func (ses *session) xmppElement(ctx context.Context, open xmlTag) (xmlElement, error) {
	element, err := ses.xmlElement(ctx)
	if err != nil {
		return xmlElement{}, err
	}
	root, err := parseElement(open.text + element + "</" + open.name + ">")
	if err != nil {
		return xmlElement{}, err
	}
	if len(root.Children) != 1 {
		return xmlElement{}, &ReplyError{To: "stream", Reply: element}
	}
	return root.Children[0], nil
}

func (e xmlElement) has(space, local string) bool {
	for _, child := range e.Children {
		if child.XMLName == (xml.Name{Space: space, Local: local}) {
			return true
		}
	}
	return false
}

// capabilities are the names of the children, each with the texts inside.
func (e xmlElement) capabilities() CapabilityList {
	list := CapabilityList{}
	for _, child := range e.Children {
		words := []string{child.XMLName.Local}
		for _, grandchild := range child.Children {
			words = append(words, strings.Fields(grandchild.Text)...)
		}
		list = append(list, strings.Join(words, " "))
	}
	return list
}
