// Command probe is the workload of the test cluster's own test: it leaves a file on its volume, and tells what it can reach.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := os.WriteFile("/data/uid", []byte(fmt.Sprint(os.Getuid())), 0o600); err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 1 && os.Args[1] == "once" {
		return
	}
	http.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	http.HandleFunc("/fetch", func(w http.ResponseWriter, r *http.Request) {
		client := http.Client{Timeout: 5 * time.Second}
		response, err := client.Get(r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		io.Copy(w, response.Body)
	})
	fmt.Println("probe listens")
	log.Fatal(http.ListenAndServe(":8080", nil))
}
