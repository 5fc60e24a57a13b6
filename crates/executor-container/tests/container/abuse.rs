//! Programs that try to get out, to see what is not theirs, or to use up the machine. Each is judged by what
//! the kernel or the engine says.

use crate::support::{Setup, bytes, exited, failure, text};
use opensky_types::{resources::Limit, task::Failure};

/// Runs a script that prints what it got away with; nothing is what is wanted.
async fn gets_nothing(setup: &Setup, what: &str, script: &str) {
    let result = setup.run(&format!("({script}) && echo got-it || echo refused")).await;
    let output = exited(&result);
    let said = text(&output.stdout);
    assert!(said.ends_with("refused\n"), "{what}: {said}{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_no_capability_no_root_no_new_rights() {
    let Some(setup) = Setup::new("no capability").await else { return };
    let result = setup.run("cat /proc/self/status; id -u").await;
    let status = text(&exited(&result).stdout);
    for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
    assert!(!status.ends_with("\n0\n"), "it runs as root");
    gets_nothing(&setup, "mount", "mount -t tmpfs none /tmp").await;
    gets_nothing(&setup, "device node", "mknod /tmp/disk b 254 0").await;
    gets_nothing(&setup, "change owner", "touch /tmp/a && chown 0:0 /tmp/a").await;
    gets_nothing(&setup, "host name", "hostname evil").await;
    gets_nothing(&setup, "clock", "date -s 2001-01-01; [ $(date +%Y) = 2001 ]").await;
    gets_nothing(&setup, "root folder", "touch /evil").await;
    gets_nothing(&setup, "another root", "chroot /tmp /bin/true").await;
    gets_nothing(&setup, "new namespaces", "unshare -m true").await;
    gets_nothing(&setup, "kernel settings", "echo 1 > /proc/sys/kernel/panic").await;
    gets_nothing(&setup, "system request", "echo b > /proc/sysrq-trigger").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_no_network_no_neighbour_no_metadata() {
    let Some(setup) = Setup::new("no network").await else { return };
    let result = setup.run("ls /sys/class/net; cat /proc/net/route | tail -n +2").await;
    assert_eq!(text(&exited(&result).stdout), "lo\n", "there is no way out");
    for (what, address) in [
        ("the machine's own bridge", "172.17.0.1 80"),
        ("the metadata of a cloud", "169.254.169.254 80"),
        ("a name server", "1.1.1.1 53"),
    ] {
        gets_nothing(&setup, what, &format!("nc -w 2 {address} </dev/null")).await;
    }
    let result = setup.run("ls -d /var/run/docker.sock /run/docker.sock; env").await;
    let output = exited(&result);
    let env = text(&output.stdout);
    assert!(!env.contains("docker.sock"), "{env}");
    assert!(!env.contains("OPENSKY"), "nothing of the node is in its environment: {env}");
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_bombs_end_with_their_task() {
    let Some(setup) = Setup::new("bombs").await else { return };
    // Memory: the kernel ends it.
    let result = setup.run("x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}").await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Memory });
    // Shared memory is memory.
    let result = setup.run("head -c 60000000 /dev/zero > /dev/shm/fill; echo $?").await;
    let said = text(result.outcome.stdout());
    assert_ne!(said, "0\n", "60 MB of shared memory in a task of 64 MB, half of it for that");
    // Processes: the kernel refuses more, and all are gone afterwards.
    let fork = "i=0; while [ $i -lt 2000 ]; do sleep 100 & i=$((i+1)); done; echo all";
    let result = setup.run_within(fork, |limits| limits.wall_ms = 20_000).await;
    assert_ne!(text(result.outcome.stdout()), "all\n");
    assert_eq!(text(&exited(&setup.run("echo fine").await).stdout), "fine\n", "the machine goes on");
    // Files: the node ends it.
    let fill = "head -c 400000000 /dev/zero > /tmp/fill; sleep 5; echo kept";
    let result = setup.run_within(fill, |limits| limits.scratch_bytes = 10 << 20).await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Scratch });
    let many = "i=0; while true; do : > /out/$i; i=$((i+1)); done";
    let result = setup.run(many).await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Scratch });
    // A volume that the image asks for would be disk without a limit.
    gets_nothing(&setup, "a volume", "echo x > /data/x").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_outputs_lead_nowhere_else() {
    let Some(setup) = Setup::new("outputs lead nowhere else").await else { return };
    let script = "ln -s /etc/shadow /out/link; ln -s / /out/root; mkfifo /out/pipe; echo plain > /out/plain";
    let result = setup.run(script).await;
    let files: Vec<_> = exited(&result).files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(files, ["plain"]);
    let result = setup.run("echo x > \"/out/$(printf 'a\\nb')\"").await;
    assert!(matches!(failure(&result), Failure::InvalidProgram { message } if message.contains("name")));
    let result =
        setup.run_within("head -c 5000 /dev/zero > /out/a", |limits| limits.output_bytes = 4_000).await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Output });
    // Rights that one task takes away are there for the next.
    setup.run("mkdir /tmp/a; touch /tmp/a/b; chmod 000 /tmp/a /tmp /out").await;
    assert_eq!(text(&exited(&setup.run("echo x > /tmp/c; echo y > /out/d; cat /tmp/c").await).stdout), "x\n");
    // Nothing of one task is there for the next.
    setup.run("echo secret > /tmp/left; echo secret > /out/left; echo x > /dev/shm/left").await;
    let result = setup.run("ls /tmp /out /dev/shm").await;
    assert!(!text(&exited(&result).stdout).contains("left"));
}

#[tokio::test(flavor = "multi_thread")]
async fn j5_output_of_any_bytes_is_passed_on_as_it_is() {
    let Some(setup) = Setup::new("output of any bytes").await else { return };
    let result = setup.run("printf '\\033[31m\\0\\001\\377'; printf '\\002\\001' >&2").await;
    let output = exited(&result);
    assert_eq!(bytes(&output.stdout), b"\x1b[31m\0\x01\xff");
    assert_eq!(bytes(&output.stderr), b"\x02\x01");
}
