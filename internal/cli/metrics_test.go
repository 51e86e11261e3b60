package cli

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestServeMetrics(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	log := slog.New(slog.DiscardHandler)
	if _, err := serveMetrics(log, addr, http.NotFoundHandler()); err == nil || !strings.Contains(err.Error(), "metrics: listen") {
		t.Errorf("an address in use: %v", err)
	}
	free.Close()
	stop, err := serveMetrics(log, addr, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hive_slots 3\n") }))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); string(text) != "hive_slots 3\n" {
		t.Errorf("the answer is %q", text)
	}
	stop()
	if _, err := http.Get("http://" + addr + "/metrics"); err == nil {
		t.Error("it answers after it was closed")
	}
}
