// Serves the files of a folder, and its scripts: the usual Go program around net/http and net/http/cgi.
// go-server ADDRESS FOLDER SCRIPTS
package main

import (
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
)

func main() {
	address, folder, scripts := os.Args[1], os.Args[2], os.Args[3]
	names, err := os.ReadDir(scripts)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(folder)))
	for _, script := range names {
		url := "/cgi-bin/" + script.Name()
		mux.Handle(url, &cgi.Handler{Path: filepath.Join(scripts, script.Name()), Root: url, Dir: scripts})
	}
	log.Fatal(http.ListenAndServe(address, mux))
}
