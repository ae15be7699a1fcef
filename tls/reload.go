package tls

import (
	cryptotls "crypto/tls"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultReloadInterval is how often a [CertReloader] looks at its files.
const DefaultReloadInterval = 10 * time.Second

// ReloadConfig says how a [CertReloader] goes about it. A nil ReloadConfig and
// the zero one mean all defaults.
type ReloadConfig struct {
	// Interval is how much time passes at least before the files are looked
	// at again. Zero means DefaultReloadInterval, 10 s; negative looks at
	// each handshake.
	Interval time.Duration

	// OnReload is told the certificate that was read anew, or why it could not
	// be, in which case the one before stays in use and the files are tried
	// again after Interval. It runs within a handshake, one call at a time.
	// Nil drops both.
	OnReload func(cert *Certificate, err error)
}

// A CertReloader has a certificate from two files, and reads them again when
// they changed, so that a renewed certificate needs no restart:
//
//	r, err := tls.NewCertReloader("cert.pem", "key.pem", nil)
//	cfg := &tls.Config{GetCertificate: r.GetCertificate}
//
// It looks at the files within a handshake, at most once per interval, while
// other handshakes go on with the certificate there is. There is nothing to
// close. Its methods may be called concurrently.
type CertReloader struct {
	certFile, keyFile string
	cfg               ReloadConfig
	current           atomic.Pointer[Certificate]

	looking sync.Mutex // held by whoever looks at the files; nobody waits for it
	loaded  [2]os.FileInfo
	next    time.Time
}

// NewCertReloader reads a certificate, with its chain, and its key from PEM
// files. The error is that of reading them now.
func NewCertReloader(certFile, keyFile string, cfg *ReloadConfig) (*CertReloader, error) {
	r := &CertReloader{certFile: certFile, keyFile: keyFile}
	if cfg != nil {
		r.cfg = *cfg
	}
	if r.cfg.Interval == 0 {
		r.cfg.Interval = DefaultReloadInterval
	}
	if r.cfg.OnReload == nil {
		r.cfg.OnReload = func(*Certificate, error) {}
	}
	files, err := r.stat()
	if err != nil {
		return nil, err
	}
	if err := r.load(files); err != nil {
		return nil, err
	}
	r.next = time.Now().Add(r.cfg.Interval)
	return r, nil
}

// GetCertificate is for Config.GetCertificate of a server.
func (r *CertReloader) GetCertificate(*ClientHelloInfo) (*Certificate, error) {
	r.look()
	return r.current.Load(), nil
}

// GetClientCertificate is for Config.GetClientCertificate of a client.
func (r *CertReloader) GetClientCertificate(*cryptotls.CertificateRequestInfo) (*Certificate, error) {
	r.look()
	return r.current.Load(), nil
}

// look loads the files anew if it is time to look and they changed.
func (r *CertReloader) look() {
	if !r.looking.TryLock() {
		return
	}
	defer r.looking.Unlock()
	if time.Now().Before(r.next) {
		return
	}
	r.next = time.Now().Add(r.cfg.Interval)
	files, err := r.stat()
	if err == nil {
		if unchanged(files[0], r.loaded[0]) && unchanged(files[1], r.loaded[1]) {
			return
		}
		err = r.load(files)
	}
	if err != nil {
		r.cfg.OnReload(nil, err)
		return
	}
	r.cfg.OnReload(r.current.Load(), nil)
}

// load reads the files. They were looked at before that, so that a change in
// between shows the next time.
func (r *CertReloader) load(files [2]os.FileInfo) error {
	cert, err := LoadX509KeyPair(r.certFile, r.keyFile)
	if err != nil {
		return err
	}
	r.current.Store(&cert)
	r.loaded = files
	return nil
}

func (r *CertReloader) stat() (files [2]os.FileInfo, err error) {
	if files[0], err = os.Stat(r.certFile); err != nil {
		return files, err
	}
	files[1], err = os.Stat(r.keyFile)
	return files, err
}

// unchanged tells whether a and b are the same file with the same content, as
// far as that shows. Files that are replaced by renaming always show.
func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
