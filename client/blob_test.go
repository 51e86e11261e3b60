package client_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

// TestApart: what is long goes through a hive as what is short does.
func TestApart(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, road *broker.Broker) {
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20/16-1) // a result of the most that a skill gives unless it asks
		r, err := c.Run(t.Context(), guest("echo "+string(data)))
		if err != nil || !bytes.Equal(r.Result, data) || r.ResultBlob.Size != int64(len(data)) {
			t.Fatalf("Run = %d bytes, %+v, %v", len(r.Result), r.ResultBlob, err)
		}
		again, err := c.Wait(t.Context(), r.ID)
		if err != nil || !bytes.Equal(again.Result, data) {
			t.Errorf("Wait = %d bytes, %v", len(again.Result), err)
		}
		records, err := c.Map(t.Context(), client.MapOptions{Task: guest("")}, [][]byte{[]byte("echo " + string(data)), []byte("echo short")})
		if err != nil || !bytes.Equal(records[0].Result, data) || string(records[1].Result) != "short" {
			t.Errorf("Map = %v, %v", records, err)
		}

		blob, err := c.PutBlob(t.Context(), io.MultiReader(strings.NewReader("exit 0 "), bytes.NewReader(make([]byte, 20<<20))))
		if err != nil {
			t.Fatal(err)
		}
		task := guest("")
		task.Payload, task.PayloadBlob = nil, blob
		if r, err := c.Run(t.Context(), task); err != nil || r.State != hive.Completed || r.Receipt.BytesIn != 20<<20+7 {
			t.Errorf("Run = %+v, %v", r, err)
		}

		apart := client.New(road, client.Options{Apart: true})
		defer apart.Close()
		r, err = apart.Wait(t.Context(), r.ID)
		if err != nil || len(r.Result) > 0 {
			t.Fatalf("Wait of a client that leaves results apart = %d bytes, %v", len(r.Result), err)
		}
		got, err := io.ReadAll(apart.OpenBlob(t.Context(), r.ResultBlob))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("OpenBlob = %d bytes, %v", len(got), err)
		}
	})
}

// TestApartAndGone: a task whose payload the road has lost fails for good, and says why.
func TestApartAndGone(t *testing.T) {
	onRoads(t, func(t *testing.T, c *client.Client, road *broker.Broker) {
		task := guest("")
		task.Payload, task.PayloadBlob = nil, hive.Blob{Digest: "sha256:" + strings.Repeat("0", 64), Size: 1}
		if _, err := c.Submit(t.Context(), task); !errors.Is(err, hive.ErrNotFound) {
			t.Errorf("Submit = %v", err)
		}
		blob, err := c.PutBlob(t.Context(), strings.NewReader("echo x"))
		if err != nil {
			t.Fatal(err)
		}
		blob.Size++ // what stands there is another
		task.PayloadBlob, task.Retries = blob, 3
		r, err := c.Run(t.Context(), task)
		if err != nil || r.State != hive.Failed || r.Failure.Kind != hive.FailLoad || r.Attempts != 1 {
			t.Errorf("Run = %+v, %v", r, err)
		}
	})
}
