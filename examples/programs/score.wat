;; The reference program of the compute score: integer work and scattered memory access, half and
;; half, over 1 MiB. A machine's score is the fuel that `run` burns divided by the time it takes.
;;
;; `run` returns a checksum, which is the same on every machine.
(module
  (memory (export "memory") 16)

  ;; xorshift32: G. Marsaglia, "Xorshift RNGs", 2003.
  (func $next (param $x i32) (result i32)
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 13))))
    (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))
    (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5))))

  (func (export "run") (result i32)
    (local $round i32) (local $random i32) (local $at i32) (local $sum i32)
    (local.set $random (i32.const 0x2545f491))
    (loop $again
      ;; A word somewhere in the memory takes in what was seen so far.
      (local.set $random (call $next (local.get $random)))
      (local.set $at (i32.and (local.get $random) (i32.const 0xffffc)))
      (local.set $sum
        (i32.add
          (i32.rotl (local.get $sum) (i32.const 7))
          (i32.xor (i32.load (local.get $at)) (local.get $random))))
      (i32.store (local.get $at) (local.get $sum))
      ;; Arithmetic that depends on it: a step of a multiplicative hash and a division.
      (local.set $sum
        (i32.xor
          (i32.mul (local.get $sum) (i32.const 0x9e3779b1))
          (i32.div_u (local.get $sum) (i32.or (local.get $round) (i32.const 1)))))
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $round) (i32.const 10000000))))
    (local.get $sum)))
