// Package golden reads what several packages' tests share from the folder
// testdata at the root of the module: frames as the codecs must write and
// read them, and dialogues of protocols. testdata/README.md describes the
// files.
package golden

import (
	"errors"
	"os"
	"path/filepath"
)

// Path returns the path of a file under testdata, which it finds from any
// folder of the module.
func Path(elem ...string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(append([]string{dir, "testdata"}, elem...)...), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("golden: no go.mod in the working directory or above it")
		}
		dir = filepath.Dir(dir)
	}
}

// read returns the contents of a file under testdata.
func read(elem ...string) ([]byte, error) {
	file, err := Path(elem...)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}
