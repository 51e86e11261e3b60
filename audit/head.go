package audit

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// Head names the newest record of a log. Kept elsewhere, it finds what the log
// alone cannot show: a tail that was cut, and a log that was written anew.
type Head struct {
	Seq  int64     `json:"seq"`  // 0: there is no record yet
	Hash string    `json:"hash"` // of the record's line
	Time time.Time `json:"time"` // of the record
}

// maxHead bounds a signed head in bytes.
const maxHead = 1 << 10

// headContext keeps a signature of a head from being one of anything else.
const headContext = "hive audit head 1\n"

type signedHead struct {
	Head
	Sig []byte `json:"sig"` // ed25519 of headContext and the head's JSON
}

// Sign returns the head as one line of JSON that ReadHead reads, signed by an ed25519
// key.
func (h Head) Sign(key crypto.Signer) ([]byte, error) {
	line, err := h.line(key)
	if err != nil {
		return nil, fmt.Errorf("sign audit head: %w", err)
	}
	return append(line, '\n'), nil
}

func (h Head) line(key crypto.Signer) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return nil, errors.New("want an ed25519 key")
	}
	message, err := h.message()
	if err != nil {
		return nil, err
	}
	sig, err := key.Sign(nil, message, crypto.Hash(0))
	if err != nil {
		return nil, err
	}
	return json.Marshal(signedHead{h, sig})
}

// HeadFile is the file of a log's directory that holds the head that was signed last.
const HeadFile = "head.json"

// Save signs the head and writes it to the HeadFile of a log's directory.
func (h Head) Save(dir string, key crypto.Signer) error {
	data, err := h.Sign(key)
	if err != nil {
		return err
	}
	if err := putFile(dir, HeadFile, data); err != nil {
		return fmt.Errorf("save audit head: %w", err)
	}
	return nil
}

func (h Head) message() ([]byte, error) {
	body, err := json.Marshal(h)
	return append([]byte(headContext), body...), err
}

// ReadHeadOf reads the head that stands in a file, or at the end of one that Export
// wrote.
func ReadHeadOf(path string, keys ...ed25519.PublicKey) (Head, error) {
	f, err := os.Open(path)
	if err != nil {
		return Head{}, fmt.Errorf("audit head: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Head{}, fmt.Errorf("audit head: %w", err)
	}
	tail := make([]byte, min(info.Size(), maxHead))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return Head{}, fmt.Errorf("audit head: %w", err)
	}
	tail = bytes.TrimSuffix(tail, []byte("\n"))
	h, err := ReadHead(tail[bytes.LastIndexByte(tail, '\n')+1:], keys...)
	if err != nil {
		return Head{}, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

// ReadHead reads what Sign wrote, if one of keys signed it.
func ReadHead(data []byte, keys ...ed25519.PublicKey) (Head, error) {
	if len(data) > maxHead {
		return Head{}, fmt.Errorf("audit head: %d bytes, at most %d allowed", len(data), maxHead)
	}
	var s signedHead
	data = bytes.TrimSpace(data)
	if err := json.Unmarshal(data, &s); err != nil {
		return Head{}, errors.New("audit head: not a head as audit exports it")
	}
	again, err := json.Marshal(s)
	if err != nil || !bytes.Equal(again, data) || s.Seq < 0 || !hexSum.MatchString(s.Hash) {
		return Head{}, errors.New("audit head: not a head as audit exports it")
	}
	message, err := s.message()
	if err != nil {
		return Head{}, err
	}
	for _, key := range keys {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, message, s.Sig) {
			return s.Head, nil
		}
	}
	return Head{}, errors.New("audit head: none of the known keys signed it")
}
