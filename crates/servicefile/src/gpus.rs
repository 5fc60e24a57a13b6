//! GPUs as files of other systems ask for them.

use crate::{
    compose::DEVICE_KEYS,
    import::Reading,
    walk::{entries, is_empty, join, list},
};
use opensky_textfile::{
    Fault,
    tree::{Node, Value},
};
use opensky_types::job::{GPUS_MAX, GpuNeed, Needs};

const INSTEAD: &str = "write a service file, whose `gpus` says how many and which";

/// What a program that is to have these GPUs needs.
pub(crate) fn needs(gpus: Option<GpuNeed>) -> Needs {
    Needs { gpus, ..Needs::default() }
}

/// A number of GPUs; none where there are to be none.
pub(crate) fn count(reading: &mut Reading<'_>, path: &str, node: &Node) -> Result<Option<u8>, Fault> {
    let text = reading.text(node)?;
    match text.parse::<u8>() {
        Ok(0) => Ok(None),
        Ok(count) if count <= GPUS_MAX => Ok(Some(count)),
        _ => {
            let what = format!("'{text}' is no number of GPUs from 1 to {GPUS_MAX}");
            reading.refuse(path, node.span, &what, INSTEAD);
            Ok(None)
        }
    }
}

/// Those of Compose's `deploy.resources.reservations.devices`.
pub(crate) fn of_compose(
    reading: &mut Reading<'_>,
    path: &str,
    devices: &Node,
) -> Result<Option<GpuNeed>, Fault> {
    let [device] = list(devices)? else {
        reading.refuse(path, devices.span, "devices of one kind are given, not of several", INSTEAD);
        return Ok(None);
    };
    reading.check_keys(path, device, DEVICE_KEYS)?;
    let capabilities = device.get("capabilities").map_or(Ok(Vec::new()), |node| reading.plain_texts(node))?;
    if !capabilities.iter().any(|capability| capability == "gpu") {
        reading.refuse(path, device.span, "only GPUs are given, no other devices", "leave it out");
        return Ok(None);
    }
    let Some(counted) = device.get("count") else {
        reading.refuse(path, device.span, "all GPUs of a machine are not given", "say how many with `count`");
        return Ok(None);
    };
    let Some(count) = count(reading, &join(path, "count"), counted)? else { return Ok(None) };
    let vendor = match device.get("driver") {
        Some(node) => {
            let driver = reading.text(node)?;
            let vendor = driver.parse().ok();
            if vendor.is_none() {
                let what = format!("a driver named '{driver}' is not known");
                reading.refuse(&join(path, "driver"), node.span, &what, INSTEAD);
            }
            vendor
        }
        None => None,
    };
    Ok(Some(GpuNeed { vendor, ..GpuNeed::any(count) }))
}

/// Those of an SDL's `resources.gpu`: `units`, and the model of one maker.
pub(crate) fn of_sdl(reading: &mut Reading<'_>, path: &str, gpu: &Node) -> Result<Option<GpuNeed>, Fault> {
    let units = gpu.get("units").unwrap_or(gpu);
    if is_empty(units) {
        return Ok(None);
    }
    let Some(count) = count(reading, path, units)? else { return Ok(None) };
    let mut need = GpuNeed::any(count);
    let vendors = gpu.get("attributes").and_then(|attributes| attributes.get("vendor"));
    let Some([(vendor, models)]) = vendors.map(entries).transpose()? else { return Ok(Some(need)) };
    let Ok(known) = vendor.text.parse() else {
        reading.refuse(path, vendor.span, &format!("GPUs of '{}' are not known", vendor.text), INSTEAD);
        return Ok(None);
    };
    need.vendor = Some(known);
    match models.value {
        Value::Null => Ok(Some(need)),
        _ => match list(models)? {
            [] => Ok(Some(need)),
            [model] => of_model(reading, path, need, model).map(Some),
            _ => {
                reading.refuse(path, models.span, "one model is asked for, not one of several", INSTEAD);
                Ok(None)
            }
        },
    }
}

fn of_model(reading: &mut Reading<'_>, path: &str, need: GpuNeed, model: &Node) -> Result<GpuNeed, Fault> {
    let name = model.get("model").map(|node| reading.text(node)).transpose()?.unwrap_or_default();
    let name = if name == "*" { String::new() } else { name.to_lowercase() };
    let memory_bytes_min = model.get("ram").map_or(Ok(0), |node| reading.bytes(node, 1_024))?;
    if model.get("interface").is_some() {
        reading.note(path, model.span, "how a GPU is connected is not asked for", "");
    }
    Ok(GpuNeed { model: name, memory_bytes_min, ..need })
}
