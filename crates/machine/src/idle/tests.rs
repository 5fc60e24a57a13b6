use super::*;
use crate::roots::fixture::Tree;
use std::{
    fs::{File, FileTimes},
    path::Path,
    time::Duration,
};

const INTERRUPTS: &str = "           CPU0       CPU1
   1:          9         11  IO-APIC   1-edge      i8042
  16:       1000       2000  IO-APIC  16-fasteoi   xhci_hcd:usb1
  28:     123456          0  PCI-MSI 0-edge        nvme0q0
 NMI:          5          5  Non-maskable interrupts
";

fn touched(path: &Path, at: SystemTime) {
    let file = File::options().write(true).open(path).expect("the file");
    file.set_times(FileTimes::new().set_accessed(at)).expect("its times");
}

#[test]
fn only_input_devices_count() {
    assert_eq!(input_interrupts(INTERRUPTS), Some(9 + 11 + 1000 + 2000));
    assert_eq!(input_interrupts("  28:  7  0  PCI-MSI 0-edge  nvme0q0\n"), None);
    assert_eq!(input_interrupts(""), None);
}

#[test]
fn idle_time_grows_until_an_input_device_stirs() {
    let tree = Tree::new(&[("proc/interrupts", INTERRUPTS)]);
    let (mut meter, start) = (IdleMeter::default(), Instant::now());
    let after = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(meter.interrupts_ms(&tree.roots(), start), Some(0));
    assert_eq!(meter.interrupts_ms(&tree.roots(), after(60)), Some(60_000));
    tree.write("proc/interrupts", &INTERRUPTS.replace("         11", "         12"));
    assert_eq!(meter.interrupts_ms(&tree.roots(), after(70)), Some(0));
    assert_eq!(meter.interrupts_ms(&tree.roots(), after(75)), Some(5_000));
}

#[test]
fn the_terminal_used_last_counts() {
    let tree = Tree::new(&[("dev/tty1", ""), ("dev/pts/0", ""), ("dev/ttyS0", ""), ("dev/pts/ptmx", "")]);
    let now = SystemTime::now();
    let ago = |seconds| now - Duration::from_secs(seconds);
    let dev = tree.roots().dev;
    for (terminal, at) in [("tty1", ago(900)), ("pts/0", ago(30)), ("ttyS0", now), ("pts/ptmx", now)] {
        touched(&dev.join(terminal), at);
    }
    assert_eq!(terminals_ms(&tree.roots(), now), Some(30_000));
}

#[test]
fn a_machine_without_signs_says_nothing() {
    assert_eq!(IdleMeter::default().idle_ms(&Tree::new(&[]).roots()), None);
}
