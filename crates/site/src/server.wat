;; Answers HTTP out of a table of files: the world wasi:http/proxy, written by hand. `component.rs` puts the module with
;; the table in the place of $Table. Built by:
;;
;;   cargo run -p opensky-executor-wasm --example component -- crates/site/src/server.wat crates/site/src/server.wasm
(component $C
  (import "wasi:io/error@0.2.0" (instance $error-of-io (export "error" (type (sub resource)))))
  (alias export $error-of-io "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer $C $error (type $e))
    (export "error" (type $error (eq $e)))
    (export "output-stream" (type $output-stream (sub resource)))
    (type $s (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $s)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output-stream)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:http/types@0.2.0" (instance $types
    (alias outer $C $output-stream (type $o))
    (export "output-stream" (type $output-stream (eq $o)))
    (export "fields" (type $fields (sub resource)))
    (export "headers" (type $headers (eq $fields)))
    (export "trailers" (type $trailers (eq $fields)))
    (export "incoming-request" (type $incoming-request (sub resource)))
    (export "outgoing-response" (type $outgoing-response (sub resource)))
    (export "outgoing-body" (type $outgoing-body (sub resource)))
    (export "response-outparam" (type $response-outparam (sub resource)))
    (type $m (variant (case "get") (case "head") (case "post") (case "put") (case "delete") (case "connect")
      (case "options") (case "trace") (case "patch") (case "other" string)))
    (export "method" (type $method (eq $m)))
    (type $h (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $header-error (eq $h)))
    (type $d (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $d)))
    (type $t (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $tls (eq $t)))
    (type $f (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $size (eq $f)))
    (type $c (variant
      (case "DNS-timeout") (case "DNS-error" $dns) (case "destination-not-found")
      (case "destination-unavailable") (case "destination-IP-prohibited") (case "destination-IP-unroutable")
      (case "connection-refused") (case "connection-terminated") (case "connection-timeout")
      (case "connection-read-timeout") (case "connection-write-timeout") (case "connection-limit-reached")
      (case "TLS-protocol-error") (case "TLS-certificate-error") (case "TLS-alert-received" $tls)
      (case "HTTP-request-denied") (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64)) (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32)) (case "HTTP-request-header-size" (option $size))
      (case "HTTP-request-trailer-section-size" (option u32)) (case "HTTP-request-trailer-size" $size)
      (case "HTTP-response-incomplete") (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $size) (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32)) (case "HTTP-response-trailer-size" $size)
      (case "HTTP-response-transfer-coding" (option string)) (case "HTTP-response-content-coding" (option string))
      (case "HTTP-response-timeout") (case "HTTP-upgrade-failed") (case "HTTP-protocol-error")
      (case "loop-detected") (case "configuration-error") (case "internal-error" (option string))))
    (export "error-code" (type $error-code (eq $c)))
    (export "[static]fields.from-list"
      (func (param "entries" (list (tuple string (list u8)))) (result (result (own $fields) (error $header-error)))))
    (export "[method]fields.get"
      (func (param "self" (borrow $fields)) (param "name" string) (result (list (list u8)))))
    (export "[method]incoming-request.method"
      (func (param "self" (borrow $incoming-request)) (result $method)))
    (export "[method]incoming-request.path-with-query"
      (func (param "self" (borrow $incoming-request)) (result (option string))))
    (export "[method]incoming-request.headers"
      (func (param "self" (borrow $incoming-request)) (result (own $headers))))
    (export "[constructor]outgoing-response"
      (func (param "headers" (own $headers)) (result (own $outgoing-response))))
    (export "[method]outgoing-response.set-status-code"
      (func (param "self" (borrow $outgoing-response)) (param "status-code" u16) (result (result))))
    (export "[method]outgoing-response.body"
      (func (param "self" (borrow $outgoing-response)) (result (result (own $outgoing-body)))))
    (export "[static]response-outparam.set"
      (func (param "param" (own $response-outparam))
        (param "response" (result (own $outgoing-response) (error $error-code)))))
    (export "[method]outgoing-body.write"
      (func (param "self" (borrow $outgoing-body)) (result (result (own $output-stream)))))
    (export "[static]outgoing-body.finish"
      (func (param "this" (own $outgoing-body)) (param "trailers" (option (own $trailers)))
        (result (result (error $error-code)))))))
  (alias export $types "incoming-request" (type $incoming-request))
  (alias export $types "response-outparam" (type $response-outparam))

  ;; Memory, the same for the module of the table. From 64 KiB on is what the host returns; it is never given back, since
  ;; each request has an instance of its own.
  (core module $Memory
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 0x10000))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32) (local $missing i32)
      (local.set $at
        (i32.and
          (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (local.set $missing
        (i32.sub (i32.shr_u (i32.add (global.get $next) (i32.const 0xffff)) (i32.const 16)) (memory.size)))
      (if (i32.gt_s (local.get $missing) (i32.const 0))
        (then (if (i32.lt_s (memory.grow (local.get $missing)) (i32.const 0)) (then unreachable))))
      (local.get $at)))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))

  (core func $from-list
    (canon lower (func $types "[static]fields.from-list") (memory $mem) (realloc $realloc)))
  (core func $get (canon lower (func $types "[method]fields.get") (memory $mem) (realloc $realloc)))
  (core func $method
    (canon lower (func $types "[method]incoming-request.method") (memory $mem) (realloc $realloc)))
  (core func $path
    (canon lower (func $types "[method]incoming-request.path-with-query") (memory $mem) (realloc $realloc)))
  (core func $headers (canon lower (func $types "[method]incoming-request.headers")))
  (core func $new-response (canon lower (func $types "[constructor]outgoing-response")))
  (core func $set-status (canon lower (func $types "[method]outgoing-response.set-status-code")))
  (core func $body (canon lower (func $types "[method]outgoing-response.body") (memory $mem)))
  (core func $set (canon lower (func $types "[static]response-outparam.set") (memory $mem) (realloc $realloc)))
  (core func $stream (canon lower (func $types "[method]outgoing-body.write") (memory $mem)))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $mem) (realloc $realloc)))
  (core func $finish
    (canon lower (func $types "[static]outgoing-body.finish") (memory $mem) (realloc $realloc)))
  (core func $drop-stream (canon resource.drop $output-stream))

  ;; In the place of this one comes the table: `copy` brings bytes of it into memory.
  (core module $Table
    (import "memory" "memory" (memory 2))
    (func (export "copy") (param $to i32) (param $from i32) (param $size i32) unreachable))
  (core instance $table (instantiate $Table (with "memory" (instance $memory))))

  ;; Memory by address:
  ;;     64  what the host returns
  ;;    128  an entry of the table: where its key, head and body are, 24 bytes
  ;;    512  constants
  ;; 0x0400  the path that is asked for, decoded
  ;; 0x0800  a key of the table
  ;; 0x2000  the head of an answer: status, number of headers, number of those for 304, the place of the tag, headers
  ;; 0x8000  a part of a body
  (core module $Main
    (import "memory" "memory" (memory 2))
    (import "table" "copy" (func $copy (param i32 i32 i32)))
    (import "http" "from-list" (func $from-list (param i32 i32 i32)))
    (import "http" "get" (func $get (param i32 i32 i32 i32)))
    (import "http" "method" (func $method (param i32 i32)))
    (import "http" "path" (func $path (param i32 i32)))
    (import "http" "headers" (func $headers (param i32) (result i32)))
    (import "http" "new-response" (func $new-response (param i32) (result i32)))
    (import "http" "set-status" (func $set-status (param i32 i32) (result i32)))
    (import "http" "body" (func $body (param i32 i32)))
    (import "http" "set" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "http" "stream" (func $stream (param i32 i32)))
    (import "http" "write" (func $write (param i32 i32 i32 i32)))
    (import "http" "finish" (func $finish (param i32 i32 i32 i32)))
    (import "http" "drop-stream" (func $drop-stream (param i32)))
    (data (i32.const 512) "400404405if-none-match")

    ;; Which of two texts comes first: negative, 0 or positive.
    (func $compare (param $a i32) (param $a-size i32) (param $b i32) (param $b-size i32) (result i32)
      (local $at i32) (local $difference i32)
      (loop $next
        (if (i32.or (i32.eq (local.get $at) (local.get $a-size)) (i32.eq (local.get $at) (local.get $b-size)))
          (then (return (i32.sub (local.get $a-size) (local.get $b-size)))))
        (local.set $difference
          (i32.sub
            (i32.load8_u (i32.add (local.get $a) (local.get $at)))
            (i32.load8_u (i32.add (local.get $b) (local.get $at)))))
        (if (local.get $difference) (then (return (local.get $difference))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))
      unreachable)

    ;; Brings the entry of a key to 128; whether there is one. Keys are in order.
    (func $find (param $key i32) (param $size i32) (result i32)
      (local $low i32) (local $high i32) (local $middle i32) (local $order i32)
      (call $copy (i32.const 64) (i32.const 0) (i32.const 4))
      (local.set $high (i32.load (i32.const 64)))
      (loop $next
        (if (i32.ge_u (local.get $low) (local.get $high)) (then (return (i32.const 0))))
        (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
        (call $copy
          (i32.const 128)
          (i32.add (i32.const 4) (i32.mul (local.get $middle) (i32.const 24)))
          (i32.const 24))
        (call $copy (i32.const 0x800) (i32.load (i32.const 128)) (i32.load (i32.const 132)))
        (local.set $order
          (call $compare (local.get $key) (local.get $size) (i32.const 0x800) (i32.load (i32.const 132))))
        (if (i32.eqz (local.get $order)) (then (return (i32.const 1))))
        (if (i32.lt_s (local.get $order) (i32.const 0))
          (then (local.set $high (local.get $middle)))
          (else (local.set $low (i32.add (local.get $middle) (i32.const 1)))))
        (br $next))
      unreachable)

    ;; The value of a hexadecimal digit, or -1.
    (func $digit (param $c i32) (result i32)
      (if (i32.lt_u (i32.sub (local.get $c) (i32.const 0x30)) (i32.const 10))
        (then (return (i32.sub (local.get $c) (i32.const 0x30)))))
      (local.set $c (i32.sub (i32.or (local.get $c) (i32.const 0x20)) (i32.const 0x61)))
      (if (result i32) (i32.lt_u (local.get $c) (i32.const 6))
        (then (i32.add (local.get $c) (i32.const 10)))
        (else (i32.const -1))))

    ;; Decodes a path to 0x400, up to its query. Its size; -1 if it is none, -2 if no key is that long.
    (func $decode (param $path i32) (param $size i32) (result i32)
      (local $end i32) (local $c i32) (local $to i32)
      (local.set $end (i32.add (local.get $path) (local.get $size)))
      (loop $next
        (if (i32.ge_u (local.get $path) (local.get $end)) (then (return (local.get $to))))
        (local.set $c (i32.load8_u (local.get $path)))
        (if (i32.eq (local.get $c) (i32.const 0x3f)) (then (return (local.get $to))))
        (if (i32.eq (local.get $to) (i32.const 1024)) (then (return (i32.const -2))))
        (if (i32.eq (local.get $c) (i32.const 0x25))
          (then
            (if (i32.lt_u (i32.sub (local.get $end) (local.get $path)) (i32.const 3))
              (then (return (i32.const -1))))
            (local.set $c
              (i32.or
                (i32.shl (call $digit (i32.load8_u offset=1 (local.get $path))) (i32.const 4))
                (call $digit (i32.load8_u offset=2 (local.get $path)))))
            ;; A digit that is none leaves its sign.
            (if (i32.lt_s (local.get $c) (i32.const 0)) (then (return (i32.const -1))))
            (local.set $path (i32.add (local.get $path) (i32.const 2)))))
        (i32.store8 (i32.add (i32.const 0x400) (local.get $to)) (local.get $c))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $path (i32.add (local.get $path) (i32.const 1)))
        (br $next))
      unreachable)

    ;; Whether a text stands in another one.
    (func $contains (param $text i32) (param $size i32) (param $part i32) (param $part-size i32) (result i32)
      (local $at i32)
      (loop $next
        (if (i32.lt_u (i32.sub (local.get $size) (local.get $at)) (local.get $part-size))
          (then (return (i32.const 0))))
        (if (i32.eqz
              (call $compare
                (i32.add (local.get $text) (local.get $at)) (local.get $part-size)
                (local.get $part) (local.get $part-size)))
          (then (return (i32.const 1))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))
      unreachable)

    ;; Whether the one who asks has what has this tag already.
    (func $has (param $request i32) (param $tag i32) (param $size i32) (result i32)
      (local $value i32) (local $left i32)
      (if (i32.eqz (local.get $size)) (then (return (i32.const 0))))
      (call $get (call $headers (local.get $request)) (i32.const 521) (i32.const 13) (i32.const 64))
      (local.set $value (i32.load (i32.const 64)))
      (local.set $left (i32.load (i32.const 68)))
      (loop $next
        (if (i32.eqz (local.get $left)) (then (return (i32.const 0))))
        (if (call $contains
              (i32.load (local.get $value)) (i32.load offset=4 (local.get $value))
              (local.get $tag) (local.get $size))
          (then (return (i32.const 1))))
        (local.set $value (i32.add (local.get $value) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next))
      unreachable)

    ;; Sends a body, part by part, unless its reader goes.
    (func $send (param $body i32) (param $from i32) (param $left i32)
      (local $stream i32) (local $size i32)
      (call $stream (local.get $body) (i32.const 64))
      (local.set $stream (i32.load (i32.const 68)))
      (block $sent
        (loop $next
          (br_if $sent (i32.eqz (local.get $left)))
          (local.set $size
            (select (i32.const 4096) (local.get $left) (i32.gt_u (local.get $left) (i32.const 4096))))
          (call $copy (i32.const 0x8000) (local.get $from) (local.get $size))
          (call $write (local.get $stream) (i32.const 0x8000) (local.get $size) (i32.const 64))
          ;; What is not finished is cut off.
          (if (i32.load8_u (i32.const 64)) (then (call $drop-stream (local.get $stream)) return))
          (local.set $from (i32.add (local.get $from) (local.get $size)))
          (local.set $left (i32.sub (local.get $left) (local.get $size)))
          (br $next)))
      (call $drop-stream (local.get $stream))
      (call $finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 64)))

    ;; Answers with the entry at 128.
    (func $answer (param $request i32) (param $out i32) (param $is-head i32)
      (local $status i32) (local $count i32) (local $response i32) (local $body i32)
      (call $copy (i32.const 0x2000) (i32.load (i32.const 136)) (i32.load (i32.const 140)))
      (local.set $status (i32.load (i32.const 0x2000)))
      (local.set $count (i32.load (i32.const 0x2004)))
      (if (call $has (local.get $request) (i32.load (i32.const 0x200c)) (i32.load (i32.const 0x2010)))
        (then
          (local.set $status (i32.const 304))
          (local.set $count (i32.load (i32.const 0x2008)))
          (local.set $is-head (i32.const 1))))
      (call $from-list (i32.const 0x2014) (local.get $count) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))
      (local.set $response (call $new-response (i32.load (i32.const 68))))
      (if (call $set-status (local.get $response) (local.get $status)) (then unreachable))
      (if (i32.eqz (local.get $is-head))
        (then
          (call $body (local.get $response) (i32.const 64))
          (local.set $body (i32.load (i32.const 68)))))
      (call $set (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (if (i32.eqz (local.get $is-head))
        (then (call $send (local.get $body) (i32.load (i32.const 144)) (i32.load (i32.const 148))))))

    ;; Brings the entry to 128 that a request is for.
    (func $choose (param $request i32) (param $method i32)
      (local $size i32)
      (if (i32.gt_u (local.get $method) (i32.const 1))
        (then (if (call $find (i32.const 518) (i32.const 3)) (then return)) unreachable))
      (call $path (local.get $request) (i32.const 64))
      (local.set $size
        (if (result i32) (i32.load8_u (i32.const 64))
          (then (call $decode (i32.load (i32.const 68)) (i32.load (i32.const 72))))
          (else (i32.const -1))))
      (if (i32.eq (local.get $size) (i32.const -1))
        (then (if (call $find (i32.const 512) (i32.const 3)) (then return)) unreachable))
      (if (i32.ge_s (local.get $size) (i32.const 0))
        (then (if (call $find (i32.const 0x400) (local.get $size)) (then return))))
      (if (i32.eqz (call $find (i32.const 515) (i32.const 3))) (then unreachable)))

    (func (export "handle") (param $request i32) (param $out i32)
      (local $method i32)
      (call $method (local.get $request) (i32.const 64))
      (local.set $method (i32.load8_u (i32.const 64)))
      (call $choose (local.get $request) (local.get $method))
      (call $answer (local.get $request) (local.get $out) (i32.eq (local.get $method) (i32.const 1)))))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "table" (instance $table))
    (with "http" (instance
      (export "from-list" (func $from-list)) (export "get" (func $get)) (export "method" (func $method))
      (export "path" (func $path)) (export "headers" (func $headers))
      (export "new-response" (func $new-response)) (export "set-status" (func $set-status))
      (export "body" (func $body)) (export "set" (func $set)) (export "stream" (func $stream))
      (export "write" (func $write)) (export "finish" (func $finish))
      (export "drop-stream" (func $drop-stream))))))

  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
