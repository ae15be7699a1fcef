// Package dnstest is a DNS server for tests, which answers as it is told: late,
// with errors, not at all, and otherwise for each type.
package dnstest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A Reply is how the server answers a query. The zero Reply says that the name
// exists and has nothing of the type.
type Reply struct {
	Delay    time.Duration
	Drop     bool // no answer
	RCode    dnsmessage.RCode
	Records  []dnsmessage.Resource
	Truncate bool               // over UDP: too long, ask over TCP
	Header   *dnsmessage.Header // instead of what is right, but for the ID

	// Packets, if not nil, makes the packets that are sent of the answer.
	Packets func(answer []byte) [][]byte
}

// A Query is what the server was asked.
type Query struct {
	Name    string
	Type    dnsmessage.Type
	Network string // "udp" or "tcp"
	EDNS    bool
}

// A Server answers on one port over UDP and TCP.
type Server struct {
	handle func(Query) Reply
	udp    net.PacketConn
	tcp    net.Listener
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu    sync.Mutex
	asked []Query
}

// Listen starts a server on addr, which may have port 0. It calls handle for
// each query, in the order of arrival over UDP.
func Listen(addr string, handle func(Query) Reply) (*Server, error) {
	s := &Server{handle: handle}
	var err error
	for range 20 { // a port that is free in UDP may be taken in TCP
		if err = s.listen(addr); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tasks.Go(s.serveUDP) // both end with their socket; Close waits
	s.tasks.Go(s.serveTCP)
	return s, nil
}

func (s *Server) listen(addr string) (err error) {
	if s.udp, err = net.ListenPacket("udp", addr); err != nil {
		return err
	}
	if s.tcp, err = net.Listen("tcp", s.udp.LocalAddr().String()); err != nil {
		return errors.Join(err, s.udp.Close())
	}
	return nil
}

// Addr returns where the server listens.
func (s *Server) Addr() netip.AddrPort {
	return s.udp.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Asked returns the queries so far, in the order of arrival.
func (s *Server) Asked() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Query(nil), s.asked...)
}

// Close stops the server. Answers that are to come later do not come.
func (s *Server) Close() error {
	s.cancel()
	err := errors.Join(s.udp.Close(), s.tcp.Close())
	s.tasks.Wait()
	return err
}

func (s *Server) serveUDP() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error for an answer of before
		}
		s.answer("udp", append([]byte(nil), buf[:n]...), func(packet []byte) {
			_, _ = s.udp.WriteTo(packet, from)
		})
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		stop := context.AfterFunc(s.ctx, func() { conn.Close() })
		s.tasks.Go(func() {
			defer stop()
			s.serveConn(conn)
		})
	}
}

// serveConn answers one query: clients here send no more. It closes the
// connection once the answer has gone, or the client has.
func (s *Server) serveConn(conn net.Conn) {
	defer conn.Close()
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, msg); err != nil {
		return
	}
	s.answer("tcp", msg, func(packet []byte) {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...))
	})
	_, _ = conn.Read(length[:])
}

// answer sends the reply to msg when it is due.
func (s *Server) answer(network string, msg []byte, send func([]byte)) {
	q, id, question, ok := read(msg)
	if !ok {
		return
	}
	q.Network = network
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.mu.Unlock()
	r := s.handle(q)
	if r.Drop {
		return
	}
	s.tasks.Go(func() { // ends when the answer is sent, or the server closed
		if r.Delay > 0 {
			select {
			case <-time.After(r.Delay):
			case <-s.ctx.Done():
				return
			}
		}
		for _, packet := range r.packets(network, id, question) {
			send(packet)
		}
	})
}

func read(msg []byte) (q Query, id uint16, question dnsmessage.Question, ok bool) {
	var m dnsmessage.Message
	if err := m.Unpack(msg); err != nil || len(m.Questions) != 1 {
		return q, 0, question, false
	}
	question = m.Questions[0]
	name := question.Name.String()
	return Query{Name: name[:len(name)-1], Type: question.Type, EDNS: len(m.Additionals) > 0}, m.ID, question, true
}

// packets returns what to send. Records that cannot be packed are a mistake of
// the test, which will miss the answer.
func (r Reply) packets(network string, id uint16, q dnsmessage.Question) [][]byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{Response: true, RecursionDesired: true, RecursionAvailable: true, RCode: r.RCode},
		Questions: []dnsmessage.Question{q},
		Answers:   r.Records,
	}
	if r.Header != nil {
		m.Header = *r.Header
	}
	m.ID = id
	if r.Truncate && network == "udp" {
		m.Truncated, m.Answers = true, nil
	}
	packet, err := m.Pack()
	if err != nil {
		return nil
	}
	if r.Packets != nil {
		return r.Packets(packet)
	}
	return [][]byte{packet}
}
