package broker_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hive-spore/hive"
)

// noise is bytes that are no text.
func noise(n int, seed byte) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

// expires returns in how many ms a blob is to go, -1 if it stays, -2 if there is none.
func (r *road) expires(b hive.Blob) string { return r.do("PTTL", "b:"+b.Digest[len("sha256:"):]) }

// refers returns how many tasks refer to a blob, and until when it stays at least; empty if none does.
func (r *road) refers(b hive.Blob) string { return r.do("HGET", "bl", b.Digest[len("sha256:"):]) }

func (r *road) wantRefers(b hive.Blob, n string) {
	r.t.Helper()
	count, _, _ := strings.Cut(r.refers(b), " ")
	if count != n {
		r.t.Errorf("%q tasks refer to the blob, want %q", count, n)
	}
	if stays := r.expires(b) == "-1"; stays != (n != "") {
		r.t.Errorf("the blob expires in %s ms, and %q tasks refer to it", r.expires(b), n)
	}
}

func TestBlob(t *testing.T) {
	onRoads(t, func(r *road) {
		for _, n := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5<<20 + 7} {
			data := noise(n, byte(n))
			blob, err := r.PutBlob(r.ctx(), iotest.HalfReader(bytes.NewReader(data)))
			r.check(err)
			again, err := r.PutBlob(r.ctx(), bytes.NewReader(data))
			if err != nil || again != blob || blob.Size != int64(n) {
				r.t.Errorf("PutBlob of %d bytes again = %+v, %v; before it was %+v", n, again, err, blob)
			}
			got, err := r.ReadBlob(r.ctx(), blob)
			if n > 0 && (err != nil || !bytes.Equal(got, data)) {
				r.t.Errorf("ReadBlob = %d bytes, %v, want %d", len(got), err, n)
			}
			if n == 0 && (err != nil || len(got) != 0) {
				r.t.Errorf("ReadBlob of nothing = %q, %v", got, err)
			}
		}
		if left := r.do("KEYS", "bu:*"); left != "" {
			r.t.Errorf("uploads are left: %s", left)
		}
	})
}

func TestBlobTooLarge(t *testing.T) {
	onRoads(t, func(r *road) {
		_, err := r.PutBlob(r.ctx(), io.LimitReader(zeros{}, hive.MaxPayload+1))
		if !errors.Is(err, hive.ErrTooLarge) {
			r.t.Errorf("PutBlob of too many bytes = %v", err)
		}
		broken := errors.New("broken")
		if _, err := r.PutBlob(r.ctx(), io.MultiReader(io.LimitReader(zeros{}, 3<<20), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			r.t.Errorf("PutBlob of what breaks = %v", err)
		}
		if left := r.do("KEYS", "*b*:*"); left != "" {
			r.t.Errorf("something is left: %s", left)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestUploadLost: what is left of an upload that was lost in between is no blob.
func TestUploadLost(t *testing.T) {
	onRoads(t, func(r *road) {
		head := noise(1<<20, 5)
		lose := readerFunc(func([]byte) (int, error) {
			_, key, _ := strings.Cut(r.do("KEYS", "bu:*"), ":") // without its prefix
			r.do("DEL", key)
			return 0, io.EOF
		})
		blob, err := r.PutBlob(r.ctx(), io.MultiReader(bytes.NewReader(head), lose, strings.NewReader("tail")))
		if err == nil || !strings.Contains(err.Error(), "what was uploaded is gone") {
			r.t.Errorf("PutBlob = %+v, %v", blob, err)
		}
		if left := r.do("KEYS", "*b*:*"); left != "" {
			r.t.Errorf("something is left: %s", left)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestBlobPutAnew: a payload that was lost and is put anew stays as long as tasks refer to it,
// whatever stands in its place and in its count.
func TestBlobPutAnew(t *testing.T) {
	onRoads(t, func(r *road) {
		data := noise(70_000, 6)
		id := r.enqueue(func(t *hive.Task) { t.Payload = data })
		blob := r.want(id, hive.Pending, 0, 0).PayloadBlob
		name := blob.Digest[len("sha256:"):]
		for _, words := range [][]string{{"DEL"}, {"SET", "x"}, {"SET", strings.Repeat("x", 70_000)}} {
			r.do(words[0], "b:"+name, words[1:]...)
			if _, err := r.PutBlob(r.ctx(), bytes.NewReader(data)); err != nil {
				r.t.Errorf("PutBlob after %.10q = %v", words, err)
			}
			r.wantRefers(blob, "1")
			if got, err := r.ReadBlob(r.ctx(), blob); err != nil || !bytes.Equal(got, data) {
				r.t.Errorf("ReadBlob = %d bytes, %v", len(got), err)
			}
		}
		r.do("HSET", "bl", name, "1 99999999999999999999")
		_, err := r.Cancel(r.ctx(), id)
		r.check(err)
		r.wantRefers(blob, "")
	})
}

// TestBlobOfOthers: what stands under a name and is not what it should be is not given out.
func TestBlobOfOthers(t *testing.T) {
	onRoads(t, func(r *road) {
		blob, err := r.PutBlob(r.ctx(), strings.NewReader("honey"))
		r.check(err)
		name := "b:" + blob.Digest[len("sha256:"):]
		r.do("SET", name, "money")
		if got, err := r.ReadBlob(r.ctx(), blob); err == nil || !strings.Contains(err.Error(), "is something else") {
			r.t.Errorf("ReadBlob of another's = %q, %v", got, err)
		}
		r.do("SET", name, "hon")
		if got, err := r.ReadBlob(r.ctx(), blob); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("ReadBlob of half = %q, %v", got, err)
		}
		r.do("DEL", name)
		r.do("RPUSH", name, "x")
		if _, err := r.ReadBlob(r.ctx(), blob); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("ReadBlob of a list = %v", err)
		}
		if again, err := r.PutBlob(r.ctx(), strings.NewReader("honey")); err != nil || again != blob {
			r.t.Errorf("PutBlob = %+v, %v", again, err)
		}
		if got, err := r.ReadBlob(r.ctx(), blob); err != nil || string(got) != "honey" {
			r.t.Errorf("ReadBlob = %q, %v", got, err)
		}
		for _, bad := range []hive.Blob{{Digest: "sha256:x", Size: 1}, {Digest: blob.Digest, Size: -1}, {Digest: blob.Digest, Size: hive.MaxPayload + 1}} {
			if _, err := r.ReadBlob(r.ctx(), bad); err == nil {
				r.t.Errorf("ReadBlob(%+v) is well", bad)
			}
		}
	})
}

// TestPayloadApart: a long payload stands once, as long as a task may need it.
func TestPayloadApart(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		data := noise(100_000, 1)
		long := func(t *hive.Task) { t.Payload = data }
		first, second, third := r.enqueue(long), r.enqueue(long), r.enqueue(long)
		rec := r.want(first, hive.Pending, 0, 0)
		blob := rec.PayloadBlob
		if blob.Size != 100_000 || len(rec.Payload) != 0 {
			r.t.Fatalf("the payload is %d bytes in the record, %+v apart", len(rec.Payload), blob)
		}
		r.wantRefers(blob, "3")
		if n := r.do("STRLEN", "t:"+first); len(n) > 3 {
			r.t.Errorf("the record has %s bytes", n)
		}
		r.assign("a", 3)
		a := r.fetch(s, 3)
		if got, err := r.Payload(r.ctx(), &a[0].Task); err != nil || !bytes.Equal(got, data) {
			r.t.Errorf("Payload = %d bytes, %v", len(got), err)
		}
		r.complete(s, a[0])
		r.wantRefers(blob, "2")
		if state := r.fail(s, a[1], hive.FailSkill); state != hive.Scheduled {
			r.t.Errorf("the task is %s", state)
		}
		r.wantRefers(blob, "2")
		_, err := r.Cancel(r.ctx(), second)
		r.check(err)
		_, err = r.Cancel(r.ctx(), third)
		r.check(err)
		r.wantRefers(blob, "")
		if fourth := r.enqueue(long); r.refers(blob) == "" {
			r.t.Errorf("nobody refers to the payload of %s", fourth)
		}
	})
}

// TestPayloadOfFailed: who has failed can be tried again by hand as long as it is kept.
func TestPayloadOfFailed(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s, func(t *hive.Task) { t.Payload, t.Retries, t.Retain = noise(70_000, 2), hive.NoRetries, time.Hour })
		blob := a.Task.PayloadBlob
		if state := r.fail(s, a, hive.FailSkill); state != hive.Failed {
			r.t.Fatalf("the task is %s", state)
		}
		r.wantRefers(blob, "")
		if ms := r.expires(blob); len(ms) != 7 { // an hour is 3,600,000
			r.t.Errorf("the payload expires in %s ms, want an hour", ms)
		}
		r.check(r.Retry(r.ctx(), a.Task.ID))
		r.wantRefers(blob, "1")
		r.assign("a", 1)
		a = r.fetch(s, 1)[0]
		if got, err := r.Payload(r.ctx(), &a.Task); err != nil || len(got) != 70_000 {
			r.t.Errorf("Payload = %d bytes, %v", len(got), err)
		}
		r.fail(s, a, hive.FailSkill)
		r.do("DEL", "b:"+blob.Digest[len("sha256:"):])
		if err := r.Retry(r.ctx(), a.Task.ID); err == nil || !strings.Contains(err.Error(), "its payload is gone") {
			r.t.Errorf("Retry without a payload = %v", err)
		}
	})
}

func TestResultApart(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		data := noise(3<<20, 3)
		for _, effects := range []bool{false, true} {
			a := r.running(s)
			o := hive.Outcome{Result: data}
			if effects {
				o.Effects.KV = []hive.KVEffect{{Op: hive.KVSet, Space: "s.echo", Key: "k", Value: []byte("v")}}
			}
			r.check(r.Complete(r.ctx(), "a", &a, &o))
			r.check(r.Complete(r.ctx(), "a", &a, &o))
			rec := r.want(a.Task.ID, hive.Completed, 1, 0)
			if rec.ResultBlob.Size != 3<<20 || len(rec.Result) != 0 {
				r.t.Fatalf("the result is %d bytes in the record, %+v apart", len(rec.Result), rec.ResultBlob)
			}
			if got, err := r.ReadBlob(r.ctx(), rec.ResultBlob); err != nil || !bytes.Equal(got, data) {
				r.t.Errorf("ReadBlob = %d bytes, %v", len(got), err)
			}
			r.wantRefers(rec.ResultBlob, "")
			if ms := r.expires(rec.ResultBlob); len(ms) != 8 { // a day is 86,400,000
				r.t.Errorf("the result expires in %s ms, want a day", ms)
			}
		}
	})
}

// TestRecountBlobs: a task that was moved aside keeps its payload no longer than others do.
func TestRecountBlobs(t *testing.T) {
	onRoads(t, func(r *road) {
		long := func(t *hive.Task) { t.Payload = noise(70_000, 4) }
		first := r.enqueue(long)
		later := r.enqueue(long, func(t *hive.Task) { t.RunAt = time.Now().Add(time.Hour) })
		blob := r.want(first, hive.Pending, 0, 0).PayloadBlob
		r.wantRefers(blob, "2")
		r.recounted()
		r.do("SET", "t:"+first, "junk")
		r.recounted("bl "+blob.Digest[len("sha256:"):]+" 2 1", "ct w2 1 0")
		r.wantRefers(blob, "1")
		r.do("DEL", "bl")
		r.recounted("bl " + blob.Digest[len("sha256:"):] + " 0 1")
		r.wantRefers(blob, "1")
		_, err := r.Cancel(r.ctx(), later)
		r.check(err)
		r.wantRefers(blob, "")
	})
}

// TestBlobGone: no task begins to refer to what is not there.
func TestBlobGone(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		blob, err := r.PutBlob(r.ctx(), strings.NewReader("honey"))
		r.check(err)
		r.do("DEL", "b:"+blob.Digest[len("sha256:"):])
		t := echo("")
		t.Payload, t.PayloadBlob, t.Unique = nil, blob, "one"
		if id, err := r.Enqueue(r.ctx(), &t, ""); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Enqueue = %s, %v", id, err)
		}
		if ids, err := r.EnqueueMany(r.ctx(), []hive.Task{echo(""), t}, ""); !errors.Is(err, hive.ErrNotFound) || len(ids) != 1 {
			r.t.Errorf("EnqueueMany = %v, %v", ids, err)
		}
		if n := r.do("EXISTS", "u:one"); n != "0" {
			r.t.Error("a task that is not there has a unique key")
		}
		r.assign("a", 1)
		a := r.fetch(s, 1)[0]
		if err := r.Complete(r.ctx(), "a", &a, &hive.Outcome{ResultBlob: blob}); !errors.Is(err, hive.ErrNotFound) {
			r.t.Errorf("Complete = %v", err)
		}
		r.want(a.Task.ID, hive.Running, 1, 0)
	})
}

// TestBlobReadsEnd: who reads no more is not waited for.
func TestBlobReadsEnd(t *testing.T) {
	onRoads(t, func(r *road) {
		blob, err := r.PutBlob(r.ctx(), io.LimitReader(zeros{}, 2<<20))
		r.check(err)
		ctx, cancel := context.WithCancel(r.ctx())
		in := r.OpenBlob(ctx, blob)
		if _, err := io.ReadFull(in, make([]byte, 10)); err != nil {
			r.t.Errorf("the first bytes: %v", err)
		}
		cancel()
		if n, err := io.Copy(io.Discard, in); !errors.Is(err, context.Canceled) {
			r.t.Errorf("%d bytes were read, %v", n, err)
		}
	})
}
