package dns

import (
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// maxAliases is how many CNAME records lead to an answer at most.
const maxAliases = 16

// pack returns a query. With EDNS(0) it allows for answers of packetSize.
func pack(id uint16, q dnsmessage.Question, edns bool) ([]byte, error) {
	b := dnsmessage.NewBuilder(make([]byte, 0, 512), dnsmessage.Header{ID: id, RecursionDesired: true})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(q); err != nil {
		return nil, err
	}
	if edns {
		if err := addEDNS(&b); err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

func addEDNS(b *dnsmessage.Builder) error {
	if err := b.StartAdditionals(); err != nil {
		return err
	}
	var h dnsmessage.ResourceHeader
	if err := h.SetEDNS0(packetSize, dnsmessage.RCodeSuccess, false); err != nil {
		return err
	}
	return b.OPTResource(h, dnsmessage.OPTResource{})
}

// An expectation is what a message must have to be the answer to a query.
type expectation struct {
	id       uint16
	question dnsmessage.Question
}

// errForeign is the error of messages that do not answer the query.
var errForeign = errors.New("not an answer to this query")

func (e expectation) met(h dnsmessage.Header, q dnsmessage.Question) bool {
	return h.ID == e.id && h.Response && h.OpCode == 0 &&
		q.Type == e.question.Type && q.Class == e.question.Class && sameName(q.Name, e.question.Name)
}

func sameName(a, b dnsmessage.Name) bool { return strings.EqualFold(a.String(), b.String()) }

// A reply is an answer of a server.
type reply struct {
	dnsmessage.Header
	question dnsmessage.Question
	records  []dnsmessage.Resource // of its answer section, what can be of use
}

// parse reads a message. The error is errForeign for what does not answer the
// query, and errMalformed for what does but cannot be read.
func parse(msg []byte, want expectation) (*reply, error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil {
		return nil, errForeign
	}
	q, err := p.Question()
	if errors.Is(err, dnsmessage.ErrSectionDone) && h.RCode == dnsmessage.RCodeFormatError {
		q, err = want.question, nil // servers that could not read it do not repeat it
	}
	if err != nil || !want.met(h, q) {
		return nil, errForeign
	}
	r := &reply{Header: h, question: want.question}
	if h.Truncated {
		return r, nil // the rest comes over TCP
	}
	if err := p.SkipAllQuestions(); err != nil {
		return nil, errMalformed
	}
	return r, r.read(&p)
}

// read takes the records that are of the type asked for, or aliases.
func (r *reply) read(p *dnsmessage.Parser) error {
	for {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return errMalformed
		}
		if h.Class != r.question.Class || h.Type != r.question.Type && h.Type != dnsmessage.TypeCNAME {
			err = p.SkipAnswer()
		} else {
			var record dnsmessage.Resource
			record, err = p.Answer()
			r.records = append(r.records, record)
		}
		if err != nil {
			return errMalformed
		}
	}
}

// answer tells what a reply says, or an error if another server should be
// asked.
func (r *reply) answer(server netip.AddrPort) (Answer, error) {
	a := Answer{Type: r.question.Type}
	switch {
	case r.RCode == dnsmessage.RCodeNameError:
		a.Err = notFound(server.String())
		return a, nil
	case r.RCode != dnsmessage.RCodeSuccess:
		return a, errMisbehaving
	case len(r.records) == 0 && !r.Authoritative && !r.RecursionAvailable:
		return a, errLame
	}
	services := true // none of them is malformed
	for _, record := range r.owned() {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			a.Addrs = append(a.Addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			a.Addrs = append(a.Addrs, netip.AddrFrom16(body.AAAA))
		case *dnsmessage.HTTPSResource:
			services = a.addService(&body.SVCBResource) && services
		case *dnsmessage.SVCBResource:
			services = a.addService(body) && services
		}
	}
	if !services {
		a.Services = nil // one malformed record spoils all (RFC 9460 section 2.2)
	}
	if !a.positive() {
		a.Err = notFound(server.String())
	}
	return a, nil
}

// owned returns the records of the name to which the aliases lead.
func (r *reply) owned() []dnsmessage.Resource {
	owner := r.question.Name
	for range maxAliases {
		next, ok := r.alias(owner)
		if !ok {
			break
		}
		owner = next
	}
	var owned []dnsmessage.Resource
	for _, record := range r.records {
		if record.Header.Type == r.question.Type && sameName(record.Header.Name, owner) {
			owned = append(owned, record)
		}
	}
	return owned
}

func (r *reply) alias(name dnsmessage.Name) (dnsmessage.Name, bool) {
	for _, record := range r.records {
		if cname, ok := record.Body.(*dnsmessage.CNAMEResource); ok && sameName(record.Header.Name, name) {
			return cname.CNAME, true
		}
	}
	return dnsmessage.Name{}, false
}
