//! Accelerators: NVIDIA through NVML, where its library is installed; AMD through sysfs.

use crate::roots::{Roots, entries, name_of, read_value};
use nvml_wrapper::{Nvml, error::NvmlError};
use opensky_ports::GpuDevice;
use opensky_types::resources::Gpu;
use std::{fs, path::Path};

/// Every accelerator that a driver runs, and how programs get at it.
pub(crate) fn find(roots: &Roots) -> Vec<(Gpu, GpuDevice)> {
    let mut gpus = nvidia().unwrap_or_else(|error| {
        // Most machines have no such library.
        tracing::debug!(%error, "no nvidia gpus found");
        Vec::new()
    });
    gpus.extend(amd(roots));
    gpus
}

/// The library is loaded for the time of the call only: it holds tens of megabytes.
fn nvidia() -> Result<Vec<(Gpu, GpuDevice)>, NvmlError> {
    let nvml = Nvml::init()?;
    let mut gpus = Vec::new();
    for index in 0..nvml.device_count()? {
        let device = nvml.device_by_index(index)?;
        let gpu = Gpu {
            model: device.name()?,
            vendor: "nvidia".to_owned(),
            // Chips that share the machine's memory do not say.
            memory_bytes: device.memory_info().ok().map(|memory| memory.total),
        };
        let device = device.uuid().map_or(GpuDevice::None, |uuid| GpuDevice::Nvidia { uuid });
        gpus.push((gpu, device));
    }
    Ok(gpus)
}

const AMD_PCI_VENDOR: &str = "0x1002";

fn amd(roots: &Roots) -> Vec<(Gpu, GpuDevice)> {
    let cards = entries(&roots.sys.join("class/drm"));
    let cards = cards.iter().filter(|card| is_card(name_of(card)));
    cards.filter_map(|card| Some((amd_card(card)?, amd_device(roots, card)))).collect()
}

/// The card's device file for computing has a number of its own, which its folder names.
fn amd_device(roots: &Roots, card: &Path) -> GpuDevice {
    let own = entries(&card.join("device/drm"));
    match own.iter().map(|entry| name_of(entry)).find(|name| name.starts_with("renderD")) {
        Some(render) => {
            GpuDevice::Amd { kfd: roots.dev.join("kfd"), render: roots.dev.join("dri").join(render) }
        }
        None => GpuDevice::None,
    }
}

/// `card0` is a card, `card0-DP-1` one of its sockets.
fn is_card(name: &str) -> bool {
    name.strip_prefix("card").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn amd_card(card: impl AsRef<Path>) -> Option<Gpu> {
    let device = card.as_ref().join("device");
    if read_value::<String>(&device.join("vendor"))? != AMD_PCI_VENDOR {
        return None;
    }
    // Few cards say their name; the PCI id always identifies the model.
    let named = fs::read_to_string(device.join("product_name")).unwrap_or_default();
    let model = match named.trim() {
        "" => format!("AMD GPU {}", read_value::<String>(&device.join("device"))?),
        name => name.to_owned(),
    };
    let memory_bytes = read_value(&device.join("mem_info_vram_total"));
    Some(Gpu { model, vendor: "amd".to_owned(), memory_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roots::fixture::Tree;

    #[test]
    fn amd_cards_are_read_from_sysfs() {
        let tree = Tree::new(&[
            ("sys/class/drm/card0/device/vendor", "0x8086\n"),
            ("sys/class/drm/card0/device/device", "0x9a49\n"),
            ("sys/class/drm/card1/device/vendor", "0x1002\n"),
            ("sys/class/drm/card1/device/device", "0x744c\n"),
            ("sys/class/drm/card1/device/product_name", "\n"),
            ("sys/class/drm/card1/device/mem_info_vram_total", "25753026560\n"),
            ("sys/class/drm/card1-DP-1/device/vendor", "0x1002\n"),
            ("sys/class/drm/card2/device/vendor", "0x1002\n"),
            ("sys/class/drm/card2/device/product_name", "AMD Instinct MI210\n"),
        ]);
        let found: Vec<(String, Option<u64>)> =
            amd(&tree.roots()).into_iter().map(|(gpu, _)| (gpu.model, gpu.memory_bytes)).collect();
        let expected =
            [("AMD GPU 0x744c".to_owned(), Some(25_753_026_560)), ("AMD Instinct MI210".to_owned(), None)];
        assert_eq!(found, expected);
    }

    #[test]
    fn c5_device_files_of_amd_cards_are_found_by_their_own_numbers() {
        let tree = Tree::new(&[
            ("sys/class/drm/card0/device/vendor", "0x1002\n"),
            ("sys/class/drm/card0/device/product_name", "a\n"),
            ("sys/class/drm/card0/device/drm/card0/dev", "226:0\n"),
            ("sys/class/drm/card0/device/drm/renderD129/dev", "226:129\n"),
            ("sys/class/drm/card1/device/vendor", "0x1002\n"),
            ("sys/class/drm/card1/device/product_name", "b\n"),
        ]);
        let roots = tree.roots();
        let devices: Vec<GpuDevice> = amd(&roots).into_iter().map(|(_, device)| device).collect();
        let (kfd, render) = (roots.dev.join("kfd"), roots.dev.join("dri/renderD129"));
        assert_eq!(devices, [GpuDevice::Amd { kfd, render }, GpuDevice::None]);
    }

    #[test]
    fn a_machine_without_cards_has_none() {
        assert_eq!(amd(&Tree::new(&[]).roots()), []);
    }
}
