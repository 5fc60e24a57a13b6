//! The hottest sensor.
//!
//! Source: the kernel's `hwmon/sysfs-interface` and `driver-api/thermal/sysfs-api`; both give
//! thousandths of a degree Celsius.

use crate::roots::{Roots, entries, name_of, read_value};
use std::path::PathBuf;

/// What a working sensor of a running machine can say, in thousandths of a degree. Broken ones say
/// zero or the ends of their range.
const PLAUSIBLE: std::ops::RangeInclusive<i64> = 1_000..=150_000;

/// The hottest sensor in whole degrees Celsius, rounded up; `None` where there is none.
pub(crate) fn hottest_celsius(roots: &Roots) -> Option<i16> {
    let monitors = entries(&roots.sys.join("class/hwmon")).into_iter().flat_map(|monitor| {
        entries(&monitor).into_iter().filter(|file| is_temperature_input(name_of(file))).collect::<Vec<_>>()
    });
    let zones = entries(&roots.sys.join("class/thermal"))
        .into_iter()
        .filter(|zone| name_of(zone).starts_with("thermal_zone"))
        .map(|zone| zone.join("temp"));
    let readings = monitors.chain(zones).filter_map(|file: PathBuf| read_value::<i64>(&file));
    let hottest = readings.filter(|reading| PLAUSIBLE.contains(reading)).max()?;
    i16::try_from((hottest + 999) / 1_000).ok()
}

/// `temp1_input`, `temp2_input`, …
fn is_temperature_input(name: &str) -> bool {
    name.starts_with("temp") && name.ends_with("_input")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roots::fixture::Tree;

    #[test]
    fn the_hottest_of_all_sensors_counts_and_broken_ones_do_not() {
        let tree = Tree::new(&[
            ("sys/class/hwmon/hwmon0/temp1_input", "41850\n"),
            ("sys/class/hwmon/hwmon0/temp1_crit", "99000\n"),
            ("sys/class/hwmon/hwmon1/temp1_input", "0\n"),
            ("sys/class/hwmon/hwmon1/temp2_input", "-273150\n"),
            ("sys/class/hwmon/hwmon1/in0_input", "65261\n"),
            ("sys/class/thermal/thermal_zone0/temp", "67001\n"),
            ("sys/class/thermal/thermal_zone1/temp", "255000\n"),
            ("sys/class/thermal/cooling_device0/temp", "90000\n"),
        ]);
        assert_eq!(hottest_celsius(&tree.roots()), Some(68));
    }

    #[test]
    fn without_sensors_the_temperature_is_not_known() {
        assert_eq!(hottest_celsius(&Tree::new(&[]).roots()), None);
    }
}
