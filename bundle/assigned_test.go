package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func setOf(generation int64) *AssignmentSet {
	return &AssignmentSet{Generation: generation, Issued: began, Expires: began.Add(time.Hour)}
}

func TestAssigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nexus, thief := key("nexus"), key("nexus-2")
	if _, err := w.repo.Assigned(nexus.Ed25519()); Reason(err) != ReasonMissing {
		t.Errorf("Assigned of none = %v", err)
	}
	for _, generation := range []int64{7, 8} {
		if err := w.repo.Assign(setOf(generation), nexus); err != nil {
			t.Fatal(err)
		}
		if set, err := w.repo.Assigned(thief.Ed25519(), nexus.Ed25519()); err != nil || set.Generation != generation {
			t.Errorf("Assigned = %+v, %v, want generation %d", set, err, generation)
		}
	}
	if _, err := w.repo.Assigned(thief.Ed25519()); Reason(err) != ReasonBadSignature {
		t.Errorf("Assigned by another key = %v", err)
	}
	if err := w.repo.Assign(setOf(0), nexus); Reason(err) != ReasonInvalid {
		t.Errorf("Assign without a generation = %v", err)
	}
	err := w.repo.Alone(func() error { return w.repo.Assign(setOf(9), nexus) })
	if Reason(err) != ReasonBusy {
		t.Errorf("Assign while somebody publishes = %v", err)
	}
	if set, err := w.repo.Assigned(nexus.Ed25519()); err != nil || set.Generation != 8 {
		t.Errorf("Assigned after refusals = %+v, %v", set, err)
	}
}

// Killed at every change of the disk, spores see the old set or the new one.
func TestKilledAssignment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nexus := key("nexus")
	for n := 0; ; n++ {
		if err := w.repo.Assign(setOf(7), nexus); err != nil {
			t.Fatal(err)
		}
		left, killed := n, errors.New("killed")
		w.repo.disk.fault = func(string) error {
			if left--; left < 0 {
				return killed
			}
			return nil
		}
		err := w.repo.Assign(setOf(8), nexus)
		w.repo.disk.fault = nil
		set, errRead := w.repo.Assigned(nexus.Ed25519())
		if errRead != nil || err == nil && set.Generation != 8 {
			t.Fatalf("after %d changes: %+v, %v, %v", n, set, err, errRead)
		}
		if err == nil {
			break
		}
	}
	if err := w.repo.Assign(setOf(9), nexus); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, temporary+"*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNewest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, err := w.repo.Newest()
	if err != nil || before < 1 {
		t.Fatalf("Newest = %d, %v", before, err)
	}
	w.seal()
	if same, err := w.repo.Newest(); err != nil || same != before {
		t.Errorf("Newest after sealing = %d, %v, want %d", same, err, before)
	}
	w.publish("crow", "1.1.0")
	if after, err := w.repo.Newest(); err != nil || after <= before {
		t.Errorf("Newest after publishing = %d, %v, want more than %d", after, err, before)
	}
	if err := os.RemoveAll(filepath.Join(w.dir, metadataDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.repo.Newest(); Reason(err) != ReasonMissing {
		t.Errorf("Newest of nothing = %v", err)
	}
}
