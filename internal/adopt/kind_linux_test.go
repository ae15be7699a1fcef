package adopt_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/adopt"

	sysunix "golang.org/x/sys/unix"
)

func TestForeignTransportsAreRefusedByName(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		family, kind, protocol int
		err                    error
	}{
		{"SCTP", sysunix.AF_INET, sysunix.SOCK_STREAM, sysunix.IPPROTO_SCTP, syscall.EPROTOTYPE},
		{"UDP-Lite", sysunix.AF_INET, sysunix.SOCK_DGRAM, sysunix.IPPROTO_UDPLITE, syscall.EPROTOTYPE},
		{"ICMP", sysunix.AF_INET, sysunix.SOCK_RAW, sysunix.IPPROTO_ICMP, syscall.EPROTOTYPE},
		{"IP protocol 255", sysunix.AF_INET, sysunix.SOCK_RAW, sysunix.IPPROTO_RAW, syscall.EPROTOTYPE},
		{"netlink", sysunix.AF_NETLINK, sysunix.SOCK_RAW, 0, syscall.EAFNOSUPPORT},
		{"vsock", sysunix.AF_VSOCK, sysunix.SOCK_STREAM, 0, syscall.EAFNOSUPPORT},
		{"Unix seqpacket", sysunix.AF_UNIX, sysunix.SOCK_SEQPACKET, 0, syscall.EAFNOSUPPORT},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fd, err := sysunix.Socket(tt.family, tt.kind, tt.protocol)
			for _, missing := range []error{syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, syscall.ESOCKTNOSUPPORT, syscall.EPERM} {
				if errors.Is(err, missing) {
					t.Skip(err)
				}
			}
			require.NoError(t, err)
			defer sysunix.Close(fd)
			_, err = adopt.FD(uintptr(fd), adopt.Want{Network: "tcp", State: adopt.Connected}, net.FileConn)
			require.ErrorContains(t, err, tt.name+" socket, want a connected TCP socket")
			require.ErrorIs(t, err, tt.err)
		})
	}
}

func TestMultipathTCPIsTCP(t *testing.T) {
	fd, err := sysunix.Socket(sysunix.AF_INET, sysunix.SOCK_STREAM, sysunix.IPPROTO_MPTCP)
	if err != nil {
		t.Skip(err)
	}
	defer sysunix.Close(fd)
	require.Equal(t, "tcp", adopt.Network(uintptr(fd)))
}
