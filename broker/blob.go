package broker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

const (
	// blobChunk is how much of a blob one request carries.
	blobChunk = 1 << 20
	// blobGrace is how long a blob is there that no task refers to yet, and an upload that
	// nobody goes on with.
	blobGrace = 10 * time.Minute

	digestName = "sha256:"
)

// PutBlob brings a blob onto the road, in pieces, and returns its name. It is there for ten
// minutes, and as long as tasks refer to it. One of more than hive.MaxPayload is refused with
// ErrTooLarge.
func (b *Broker) PutBlob(ctx context.Context, r io.Reader) (hive.Blob, error) {
	upload, sum, size := hive.NewID(), sha256.New(), int64(0)
	r = io.TeeReader(io.LimitReader(r, hive.MaxPayload+1), sum)
	for chunk := make([]byte, blobChunk); ; {
		n, err := io.ReadFull(r, chunk)
		if n > 0 {
			if size+int64(n) > hive.MaxPayload {
				err = fmt.Errorf("more than %d bytes: %w", hive.MaxPayload, hive.ErrTooLarge)
			} else if errPut := b.putChunk(ctx, upload, size, chunk[:n]); errPut != nil {
				err = errPut
			}
			size += int64(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			b.dropUpload(ctx, upload)
			return hive.Blob{}, err
		}
	}
	if size == 0 {
		if err := b.putChunk(ctx, upload, 0, nil); err != nil {
			return hive.Blob{}, err
		}
	}
	blob := hive.Blob{Digest: digestName + hex.EncodeToString(sum.Sum(nil)), Size: size}
	there, err := b.keepBlob(ctx, blob, upload)
	if err == nil && !there {
		err = errUpload
	}
	return blob, err
}

// putBytes is PutBlob, but does not upload what is there already.
func (b *Broker) putBytes(ctx context.Context, data []byte) (hive.Blob, error) {
	sum := sha256.Sum256(data)
	blob := hive.Blob{Digest: digestName + hex.EncodeToString(sum[:]), Size: int64(len(data))}
	if there, err := b.keepBlob(ctx, blob, ""); there || err != nil {
		return blob, err
	}
	return b.PutBlob(ctx, bytes.NewReader(data))
}

// errUpload says that an upload is gone before its end.
var errUpload = errors.New("put blob: what was uploaded is gone: it took too long, or Redis lost it")

// putChunk writes a piece of an upload to its place, so that a repeat changes nothing.
func (b *Broker) putChunk(ctx context.Context, upload string, at int64, chunk []byte) error {
	n, err := b.run(ctx, scriptPut, upload, at, blobGrace.Milliseconds(), chunk).Int()
	if err == nil && n == 0 {
		return errUpload
	}
	return b.wrap("put blob", err)
}

func (b *Broker) dropUpload(ctx context.Context, upload string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	b.rdb.Del(ctx, b.keys.upload(upload)) // or it expires
}

// keepBlob makes a blob of an upload, unless it is there already, and has it stay for a while.
// It reports whether it is there.
func (b *Broker) keepBlob(ctx context.Context, blob hive.Blob, upload string) (bool, error) {
	n, err := b.run(ctx, scriptBlob, blobName(blob), upload, blob.Size, blobGrace.Milliseconds()).Int()
	return n == 1, b.wrap("put blob", err)
}

// blobName is how keys and records of the road spell it.
func blobName(b hive.Blob) string { return strings.TrimPrefix(b.Digest, digestName) }

// OpenBlob reads a blob, in pieces. What is read is held against its name: a reader that comes
// to its end without an error has given what was put. ErrNotFound: it is not there (any more).
func (b *Broker) OpenBlob(ctx context.Context, blob hive.Blob) io.Reader {
	return &blobReader{ctx: ctx, road: b, blob: blob, sum: sha256.New(), err: blob.Validate()}
}

// blobReader reads ahead one piece. Its context is that of one reading.
type blobReader struct {
	ctx  context.Context
	road *Broker
	blob hive.Blob
	at   int64
	sum  hash.Hash
	left string
	err  error
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.left == "" && r.err == nil {
		r.err = r.next()
	}
	if r.left == "" {
		return 0, r.err
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// next reads a piece; io.EOF when all was read and is what it should be.
func (r *blobReader) next() error {
	if r.at == r.blob.Size {
		if digestName+hex.EncodeToString(r.sum.Sum(nil)) != r.blob.Digest {
			return fmt.Errorf("blob %s: what stands there is something else: %w", r.blob.Digest, hive.ErrNotFound)
		}
		return io.EOF
	}
	key := r.road.keys.blob(blobName(r.blob))
	piece, err := r.road.rdb.GetRange(r.ctx, key, r.at, min(r.at+blobChunk, r.blob.Size)-1).Result()
	if err != nil {
		return r.road.wrap("read blob", err)
	}
	if piece == "" {
		return fmt.Errorf("blob %s: %w", r.blob.Digest, hive.ErrNotFound)
	}
	r.at += int64(len(piece))
	r.left = piece
	r.sum.Write([]byte(piece))
	return nil
}

// ReadBlob is OpenBlob for one that is to stand in memory.
func (b *Broker) ReadBlob(ctx context.Context, blob hive.Blob) ([]byte, error) {
	if err := blob.Validate(); err != nil {
		return nil, err
	}
	data := bytes.NewBuffer(make([]byte, 0, blob.Size+bytes.MinRead)) // or it grows to look for the end
	_, err := io.Copy(data, b.OpenBlob(ctx, blob))
	return data.Bytes(), err
}

// apart has a payload stand apart that is too long for a record.
func (b *Broker) apart(ctx context.Context, t *hive.Task) (*hive.Task, error) {
	if len(t.Payload) <= b.opts.Inline {
		return t, nil
	}
	if err := t.Validate(); err != nil {
		return nil, err
	}
	apart := *t
	var err error
	apart.PayloadBlob, err = b.putBytes(ctx, t.Payload)
	apart.Payload = nil
	return &apart, err
}

// Payload is that of a task, wherever it stands.
func (b *Broker) Payload(ctx context.Context, t *hive.Task) ([]byte, error) {
	if t.PayloadBlob.None() {
		return t.Payload, nil
	}
	return b.ReadBlob(ctx, t.PayloadBlob)
}
