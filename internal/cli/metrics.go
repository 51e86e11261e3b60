package cli

import (
	"log/slog"
	"net/http"
)

// serveMetrics answers GET /metrics at an address, if there is one, until closeAll
// is called.
func serveMetrics(log *slog.Logger, addr string, metrics http.Handler) (closeAll func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	return serveHTTP(log, addr, mux, "metrics", "/metrics")
}
