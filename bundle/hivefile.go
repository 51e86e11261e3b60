package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"

	"github.com/hive-spore/hive"
)

// A .hive file carries one bundle by hand. Integers are big endian:
//
//	 8 bytes  89 'H' 'I' 'V' 'E' 0d 0a 1a
//	 4        version of the format: 1
//	 4        length of the bundle, then the bundle as Encode spells it
//	 4        length of the chain, then the chain: metadata that signs for the
//	          bundle, which this file does not look into; it may be empty
//	          each program once, in the order of digests, as long as the bundle says
//	32        SHA-256 of all bytes before
//
// Nothing follows. The same bundle and chain make the same file. It holds no paths:
// what names a program is its digest, which is computed and not read.
const (
	fileMagic   = "\x89HIVE\r\n\x1a"
	fileVersion = 1

	// MaxChain bounds the metadata in a .hive file, in bytes.
	MaxChain = 16 << 20
)

// Export writes a .hive file. It asks open for each program, and checks it while it
// is written: after an error, what was written is no .hive file.
func Export(w io.Writer, b *Bundle, chain []byte, open func(digest string) (io.ReadCloser, error)) error {
	data, err := b.Encode()
	if err != nil {
		return err
	}
	if len(chain) > MaxChain {
		return fmt.Errorf("export %s: metadata of %d bytes, at most %d allowed: %w", b, len(chain), MaxChain, hive.ErrTooLarge)
	}
	whole := sha256.New()
	out := io.MultiWriter(w, whole)
	if _, err := out.Write(header(data, chain)); err != nil {
		return fmt.Errorf("export %s: %w", b, err)
	}
	for _, p := range b.programs() {
		if err := exportProgram(out, p, open); err != nil {
			return fmt.Errorf("export %s: program %s: %w", b, p.digest, err)
		}
	}
	if _, err := w.Write(whole.Sum(nil)); err != nil {
		return fmt.Errorf("export %s: %w", b, err)
	}
	return nil
}

// header is all that comes before the programs.
func header(data, chain []byte) []byte {
	head := append([]byte(fileMagic), binary.BigEndian.AppendUint32(nil, fileVersion)...)
	for _, part := range [][]byte{data, chain} {
		head = append(binary.BigEndian.AppendUint32(head, uint32(len(part))), part...)
	}
	return head
}

func exportProgram(w io.Writer, p program, open func(string) (io.ReadCloser, error)) error {
	r, err := open(p.digest)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := p.copy(w, r); err != nil {
		return err
	}
	if n, _ := io.CopyN(io.Discard, r, 1); n > 0 {
		return fmt.Errorf("longer than the %d bytes that the bundle says", p.size)
	}
	return nil
}

var errEndsEarly = errors.New("ends early")

// copy copies the program from r, and no byte more, checking its digest.
func (p program) copy(w io.Writer, r io.Reader) error {
	sum := sha256.New()
	switch _, err := io.CopyN(io.MultiWriter(w, sum), r, p.size); {
	case err == io.EOF:
		return errEndsEarly
	case err != nil:
		return err
	}
	if got := fmt.Sprintf("sha256:%x", sum.Sum(nil)); got != p.digest {
		return fmt.Errorf("its bytes are %s", got)
	}
	return nil
}

// ExportFile is Export into a file, which takes the place of an older one when it is
// whole, and not before.
func ExportFile(path string, b *Bundle, chain []byte, open func(digest string) (io.ReadCloser, error)) error {
	return public().stream(path, func(w io.Writer) error { return Export(w, b, chain, open) })
}

// Check reads a .hive file to its end as Import does, and keeps nothing.
func Check(r io.Reader) (b *Bundle, chain []byte, err error) {
	in := &fileReader{r: r, whole: sha256.New()}
	if b, chain, err = in.head(); err != nil {
		return nil, nil, err
	}
	err = in.programs(b, func(_ program, fill func(io.Writer) error) error { return fill(io.Discard) })
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", b, err)
	}
	return b, chain, nil
}

// Imported is what a .hive file brought. That its parts belong together is checked;
// whose it is, only the chain can say.
type Imported struct {
	Bundle *Bundle
	Chain  []byte
	Dir    string // the new folder
}

// Program is the path of the file with the program of this digest.
func (i *Imported) Program(digest string) string {
	return filepath.Join(i.Dir, filepath.FromSlash(blobPath(digest)))
}

// The files of an imported bundle.
const (
	importedBundle = "bundle.json"
	importedChain  = "chain"
)

// Import reads a .hive file to its end and keeps what it brought in a new folder of
// dir, which is made if need be. The folder is named by the bundle's digest and appears
// with all of its files or, after an error or a crash, not at all; an older one of the
// same name is replaced. Nothing outside of dir is touched.
func Import(r io.Reader, dir string) (*Imported, error) {
	in := &fileReader{r: r, whole: sha256.New()}
	b, chain, err := in.head()
	if err != nil {
		return nil, err
	}
	name := hexDigits(b.Digest())
	err = appear(dir, name, replace, func(f draft) error { return in.keep(f, b, chain) })
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", b, err)
	}
	return &Imported{b, chain, filepath.Join(dir, name)}, nil
}

// fileReader reads a .hive file.
type fileReader struct {
	r     io.Reader
	whole hash.Hash // of the bytes read
}

// Read reads what the file's digest covers.
func (in *fileReader) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.whole.Write(p[:n])
	return n, err
}

// head reads all that comes before the programs.
func (in *fileReader) head() (*Bundle, []byte, error) {
	var start [len(fileMagic) + 4]byte
	n, err := io.ReadFull(in, start[:])
	if !bytes.HasPrefix(start[:n], []byte(fileMagic[:min(n, len(fileMagic))])) {
		return nil, nil, errors.New("not a .hive file")
	}
	if err != nil {
		return nil, nil, readError("its first bytes", err)
	}
	if v := binary.BigEndian.Uint32(start[len(fileMagic):]); v != fileVersion {
		return nil, nil, fmt.Errorf(".hive file: format %d, this program reads %d", v, fileVersion)
	}
	data, err := in.part("the bundle", MaxBundle)
	if err != nil {
		return nil, nil, err
	}
	b, err := Decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf(".hive file: %w", err)
	}
	chain, err := in.part("the metadata", MaxChain)
	return b, chain, err
}

// part reads a length and as many bytes. What is held in memory grows with the bytes
// that came, not with the length that was claimed.
func (in *fileReader) part(what string, limit uint32) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, readError(what, err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > limit {
		return nil, fmt.Errorf(".hive file: %s of %d bytes, at most %d allowed: %w", what, n, limit, hive.ErrTooLarge)
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(n)))
	if err == nil && len(data) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, readError(what, err)
	}
	return data, nil
}

// readError tells a file that ends early from one that cannot be read.
func readError(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errEndsEarly
	}
	return fmt.Errorf(".hive file: %s: %w", what, err)
}

// keep writes the bundle, the chain and the programs that follow into a folder.
func (in *fileReader) keep(f draft, b *Bundle, chain []byte) error {
	data, err := b.Encode()
	if err != nil {
		return err
	}
	if err := errors.Join(f.write(importedBundle, data), f.write(importedChain, chain)); err != nil {
		return err
	}
	return in.programs(b, func(p program, fill func(io.Writer) error) error {
		return f.stream(blobPath(p.digest), fill)
	})
}

// programs reads the programs and the end of the file; keep is given each, to be filled
// into where it goes.
func (in *fileReader) programs(b *Bundle, keep func(p program, fill func(io.Writer) error) error) error {
	for _, p := range b.programs() {
		if err := keep(p, func(w io.Writer) error { return p.copy(w, in) }); err != nil {
			return fmt.Errorf("program %s: %w", p.digest, err)
		}
	}
	return in.end()
}

// end reads the file's own digest, and that nothing follows.
func (in *fileReader) end() error {
	want := in.whole.Sum(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(in.r, got); err != nil {
		return readError("its digest", err)
	}
	if !bytes.Equal(got, want) {
		return errors.New("the file is damaged: its digest is not that of its bytes")
	}
	switch _, err := io.ReadFull(in.r, got[:1]); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("the file goes on after its end")
	default:
		return readError("its end", err)
	}
}
