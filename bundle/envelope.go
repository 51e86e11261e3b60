package bundle

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// What nexus signs travels as DSSE envelopes, whose type is signed with the payload:
// a command can never be read as an assignment set.
const (
	TypeAssignments = "application/vnd.hive.assignments+json"
	TypeCommand     = "application/vnd.hive.command+json"
)

// Bounds of an envelope.
const (
	MaxEnvelope   = 2 << 20 // bytes of its JSON
	maxSignatures = 8
)

// Sign returns the JSON of an envelope with a payload, signed by an ed25519 key.
func Sign(payloadType string, payload []byte, key crypto.Signer) ([]byte, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, refuse(ReasonInvalid, "the signing key", errors.New("want an ed25519 key"))
	}
	s, err := dsse.NewEnvelopeSigner(signer{key, public})
	if err != nil {
		return nil, err
	}
	envelope, err := s.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(envelope)
	if err == nil && len(data) > MaxEnvelope {
		err = refuse(ReasonTooLarge, "the envelope", tooLong(len(data), MaxEnvelope))
	}
	return data, err
}

// Verify returns the payload of an envelope that is of this type and that one of
// keys signed. Everything else is refused.
func Verify(data []byte, keys []ed25519.PublicKey, payloadType string) ([]byte, error) {
	if len(data) > MaxEnvelope {
		return nil, refuse(ReasonTooLarge, "the envelope", tooLong(len(data), MaxEnvelope))
	}
	var envelope dsse.Envelope
	if err := strictly(data, &envelope); err != nil {
		return nil, refuse(ReasonUnparsable, "the envelope", err)
	}
	switch n := len(envelope.Signatures); {
	case envelope.PayloadType != payloadType:
		return nil, refuse(ReasonUnparsable, "the envelope", fmt.Errorf("it is of type %.80q, want %q", envelope.PayloadType, payloadType))
	case n > maxSignatures:
		return nil, refuse(ReasonTooLarge, "the envelope", fmt.Errorf("%d signatures, at most %d allowed", n, maxSignatures))
	}
	v, err := dsse.NewEnvelopeVerifier(verifiers(keys)...)
	if err != nil {
		return nil, refuse(ReasonBadSignature, "the envelope", errors.New("no keys of the nexus are known"))
	}
	_, payload, err := v.VerifyAndDecode(context.Background(), &envelope)
	if err != nil {
		return nil, refuse(ReasonBadSignature, "the envelope", nil)
	}
	return payload, nil
}

// payload is what an envelope of ours can hold.
type payload interface{ validate() error }

// spell returns the one spelling of a payload, which parse reads into fresh.
func spell(v, fresh payload, most int) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return data, parse(data, fresh, most)
}

// parse reads what spell wrote and nothing else.
func parse(data []byte, v payload, most int) error {
	if len(data) > most {
		return tooLong(len(data), most)
	}
	if err := strictly(data, v); err != nil {
		return err
	}
	return v.validate()
}

// strictly reads JSON in the one spelling that json.Marshal gives the value: no key
// twice or unknown, nothing after it, no other order or space.
func strictly(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return errors.New("not the JSON it should be")
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return errors.New("not in its one spelling")
	}
	return nil
}

func tooLong(n, most int) error { return fmt.Errorf("%d bytes, at most %d allowed", n, most) }

// signer and verifier are an ed25519 key as dsse takes it.
type signer struct {
	key    crypto.Signer
	public ed25519.PublicKey
}

func (s signer) Sign(_ context.Context, data []byte) ([]byte, error) {
	return s.key.Sign(nil, data, crypto.Hash(0))
}

func (s signer) KeyID() (string, error) { return keyID(s.public), nil }

type verifier struct{ ed25519.PublicKey }

func (v verifier) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(v.PublicKey, data, sig) {
		return errors.New("not its signature")
	}
	return nil
}

// Public is for keys without an id; these have one.
func (v verifier) Public() crypto.PublicKey { return v.PublicKey }

func (v verifier) KeyID() (string, error) { return keyID(v.PublicKey), nil }

// verifiers leaves out what is no key, and each key's repetitions, of which dsse
// would speak on standard output.
func verifiers(keys []ed25519.PublicKey) (list []dsse.Verifier) {
	for i, key := range keys {
		same := func(k ed25519.PublicKey) bool { return bytes.Equal(k, key) }
		if len(key) == ed25519.PublicKeySize && !slices.ContainsFunc(keys[:i], same) {
			list = append(list, verifier{key})
		}
	}
	return list
}

// keyID names a key as TUF does: by the SHA-256 of its canonical JSON.
func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"keytype":"ed25519","keyval":{"public":"%x"},"scheme":"ed25519"}`, []byte(key)))
	return hex.EncodeToString(sum[:])
}
