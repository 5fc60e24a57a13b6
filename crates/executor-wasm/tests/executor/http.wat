;; A component that answers HTTP and, asked to, misbehaves.
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
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer $C $output-stream (type $o))
    (export "output-stream" (type $output-stream (eq $o)))
    (export "get-stderr" (func (result (own $output-stream))))))
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
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[method]incoming-request.path-with-query"
      (func (param "self" (borrow $incoming-request)) (result (option string))))
    (export "[constructor]outgoing-response"
      (func (param "headers" (own $headers)) (result (own $outgoing-response))))
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

  ;; Memory, and room in it for what the host returns: from 4096 on, never given back. Each request has its own.
  (core module $Memory
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at
        (i32.and
          (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (local.get $at)))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))

  (core func $new-fields (canon lower (func $types "[constructor]fields")))
  (core func $path (canon lower (func $types "[method]incoming-request.path-with-query")
    (memory $mem) (realloc $realloc)))
  (core func $new-response (canon lower (func $types "[constructor]outgoing-response")))
  (core func $body (canon lower (func $types "[method]outgoing-response.body") (memory $mem)))
  (core func $set (canon lower (func $types "[static]response-outparam.set") (memory $mem) (realloc $realloc)))
  (core func $stream (canon lower (func $types "[method]outgoing-body.write") (memory $mem)))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $mem) (realloc $realloc)))
  (core func $finish
    (canon lower (func $types "[static]outgoing-body.finish") (memory $mem) (realloc $realloc)))
  (core func $drop-stream (canon resource.drop $output-stream))
  (core func $environment (canon lower (func $environment "get-environment") (memory $mem) (realloc $realloc)))
  (core func $stderr (canon lower (func $stderr "get-stderr")))

  (core module $Main
    (import "memory" "memory" (memory 2))
    (import "http" "new-fields" (func $new-fields (result i32)))
    (import "http" "path" (func $path (param i32 i32)))
    (import "http" "new-response" (func $new-response (param i32) (result i32)))
    (import "http" "body" (func $body (param i32 i32)))
    (import "http" "set" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "http" "stream" (func $stream (param i32 i32)))
    (import "http" "write" (func $write (param i32 i32 i32 i32)))
    (import "http" "finish" (func $finish (param i32 i32 i32 i32)))
    (import "http" "drop-stream" (func $drop-stream (param i32)))
    (import "cli" "environment" (func $environment (param i32)))
    (import "cli" "stderr" (func $stderr (result i32)))
    (data (i32.const 1024) "hello\n")

    ;; Answers with status 200 and so many bytes of memory. Results of the host are at 64 and after.
    (func $answer (param $out i32) (param $text i32) (param $size i32)
      (local $response i32) (local $body i32) (local $stream i32)
      (local.set $response (call $new-response (call $new-fields)))
      (call $body (local.get $response) (i32.const 64))
      (local.set $body (i32.load (i32.const 68)))
      (call $set (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $stream (local.get $body) (i32.const 64))
      (local.set $stream (i32.load (i32.const 68)))
      (call $write (local.get $stream) (local.get $text) (local.get $size) (i32.const 64))
      (call $drop-stream (local.get $stream))
      (call $finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 64)))

    ;; What it does is the first letter of the path.
    (func (export "handle") (param $request i32) (param $out i32)
      (local $letter i32) (local $at i32) (local $stream i32)
      (call $path (local.get $request) (i32.const 64))
      (local.set $letter (i32.load8_u offset=1 (i32.load (i32.const 68))))
      ;; e: the value of its first variable
      (if (i32.eq (local.get $letter) (i32.const 0x65))
        (then
          (call $environment (i32.const 64))
          (local.set $at (i32.load (i32.const 64)))
          (call $answer (local.get $out) (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)))
          (return)))
      ;; l: writes a line to stderr, and answers
      (if (i32.eq (local.get $letter) (i32.const 0x6c))
        (then
          (local.set $stream (call $stderr))
          (call $write (local.get $stream) (i32.const 1024) (i32.const 6) (i32.const 64))
          (call $drop-stream (local.get $stream))))
      ;; s: spins; n: no answer; t: traps
      (if (i32.eq (local.get $letter) (i32.const 0x73)) (then (loop $again (br $again))))
      (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then (return)))
      (if (i32.eq (local.get $letter) (i32.const 0x74)) (then (unreachable)))
      ;; m: takes memory until there is none, then traps
      (if (i32.eq (local.get $letter) (i32.const 0x6d))
        (then (loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) (unreachable)))
      ;; c: counts the requests of its instance: always one
      (if (i32.eq (local.get $letter) (i32.const 0x63))
        (then
          (i32.store8 (i32.const 2048) (i32.add (i32.load8_u (i32.const 2048)) (i32.const 0x31)))
          (call $answer (local.get $out) (i32.const 2048) (i32.const 1))
          (return)))
      (call $answer (local.get $out) (i32.const 1024) (i32.const 6))))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "cli" (instance (export "environment" (func $environment)) (export "stderr" (func $stderr))))
    (with "http" (instance
      (export "new-fields" (func $new-fields)) (export "path" (func $path))
      (export "new-response" (func $new-response)) (export "body" (func $body)) (export "set" (func $set))
      (export "stream" (func $stream)) (export "write" (func $write)) (export "finish" (func $finish))
      (export "drop-stream" (func $drop-stream))))))

  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
