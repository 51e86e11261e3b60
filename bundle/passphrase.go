package bundle

import (
	"bytes"
	"cmp"
	"errors"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// workFactor is the power of two of scrypt's cost: a guess takes about a second and
// 256 MiB. It is also the most that is spent on a file, which could ask for hours.
const workFactor = 18

// locked reports whether a file is encrypted.
func locked(data []byte) bool { return bytes.HasPrefix(data, []byte(armor.Header)) }

// lock encrypts as age -p -a does, with this power of two for scrypt's cost.
func lock(text []byte, passphrase string, cost int) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(cost)
	var out bytes.Buffer
	armored := armor.NewWriter(&out)
	w, err := age.Encrypt(armored, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = cmp.Or(w.Close(), armored.Close())
	return out.Bytes(), err
}

// unlock decrypts what lock encrypted.
func unlock(data []byte, passphrase string) ([]byte, error) {
	if passphrase == "" {
		return nil, ErrPassphrase
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(workFactor)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(data)), identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, errors.New("wrong passphrase")
	}
	if err != nil {
		return nil, errors.New("the encrypted key is damaged")
	}
	text, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, errors.New("the encrypted key is damaged")
	}
	return text, nil
}
