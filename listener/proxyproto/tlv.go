package proxyproto

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// A Type says what a [TLV] tells.
type Type byte

// The types that the protocol gives a meaning, section 2.2.
const (
	TypeALPN      Type = 0x01 // application protocol, see [ALPN]
	TypeAuthority Type = 0x02 // host name, see [Authority]
	TypeCRC32C    Type = 0x03 // checksum of the header; Append computes it
	TypeNoop      Type = 0x04 // padding
	TypeUniqueID  Type = 0x05 // see [UniqueID]
	TypeTLS       Type = 0x20 // what client and proxy spoke, see [TLS]
	TypeNetNS     Type = 0x30 // name of a network namespace
)

const (
	maxUniqueID = 128
	tlvHead     = 3 // type and length
)

var typeNames = map[Type]string{
	TypeALPN: "ALPN", TypeAuthority: "authority", TypeCRC32C: "CRC32C", TypeNoop: "noop",
	TypeUniqueID: "unique ID", TypeTLS: "TLS", TypeNetNS: "network namespace",
}

// String returns the type's name, or its number if the protocol has none.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("%#02x", byte(t))
}

// A TLV is one thing that a header tells besides the addresses. The types
// from 0xE0 to 0xEF are everybody's own.
type TLV struct {
	Type  Type
	Value []byte // up to 65,535 bytes
}

// parseTLVs returns views of p.
func parseTLVs(p []byte) ([]TLV, error) {
	var all []TLV
	for len(p) > 0 {
		if len(p) < tlvHead {
			return nil, malformed(2, "a TLV is cut off")
		}
		end := tlvHead + int(binary.BigEndian.Uint16(p[1:]))
		if len(p) < end {
			return nil, malformed(2, "the TLV %v is cut off", Type(p[0]))
		}
		all = append(all, TLV{Type(p[0]), p[tlvHead:end:end]})
		p = p[end:]
	}
	return all, nil
}

// appendTLVs returns where in out the checksum belongs, 0 for nowhere.
func appendTLVs(out []byte, all []TLV) ([]byte, int, error) {
	sum := 0
	for _, v := range all {
		value := v.Value
		switch {
		case v.Type == TypeCRC32C:
			if sum > 0 {
				return out, 0, unsendable("two checksums")
			}
			sum, value = len(out)+tlvHead, make([]byte, crc32.Size)
		case v.Type == TypeUniqueID && len(value) > maxUniqueID:
			return out, 0, unsendable("a unique ID of %d bytes", len(value))
		case len(value) > math.MaxUint16:
			return out, 0, unsendable("%d bytes of %v", len(value), v.Type)
		}
		out = appendTLV(out, v.Type, value)
	}
	return out, sum, nil
}

func appendTLV[V []byte | string](out []byte, t Type, value V) []byte {
	out = append(out, byte(t))
	out = binary.BigEndian.AppendUint16(out, uint16(len(value)))
	return append(out, value...)
}
