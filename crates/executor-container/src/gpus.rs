//! GPUs on their way into a container.

use bollard::models::{DeviceInfo, DeviceMapping, DeviceRequest, Runtime};
use opensky_ports::GpuDevice;
use opensky_types::task::Failure;
use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The engine's driver that hands out NVIDIA's, and its runtime, whose presence says that the driver is there.
const NVIDIA: &str = "nvidia";
/// The engine's driver for devices described by files of their makers (Container Device Interface).
const CDI: &str = "cdi";
/// What such a file calls NVIDIA's.
const CDI_NVIDIA: &str = "nvidia.com/gpu=";
/// What programs do with them: compute, and ask how they are.
const CAPABILITIES: [&str; 3] = ["gpu", "compute", "utility"];
/// Where programs look for device files.
const KFD: &str = "/dev/kfd";
const DRI: &str = "/dev/dri";
/// Rights of a file that everybody reads and writes.
const FOR_ALL: u32 = 0o006;

/// How an engine passes on one GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Its driver does, by the name that the GPU has there.
    Driver { driver: &'static str, id: String },
    /// By device files: that of all GPUs of its maker, and its own.
    Files { kfd: PathBuf, render: PathBuf },
}

/// The ways of an engine to the GPUs of the machine, by their places; those without a way are left out.
pub fn ways(
    devices: &[GpuDevice],
    runtimes: &HashMap<String, Runtime>,
    described: &[DeviceInfo],
) -> Vec<(u8, Way)> {
    let is_described = |id: &String| {
        let same = |device: &DeviceInfo| device.id.as_ref() == Some(id);
        described.iter().any(|device| device.source.as_deref() == Some(CDI) && same(device))
    };
    let way = |device: &GpuDevice| match device {
        GpuDevice::Nvidia { uuid } => {
            let id = format!("{CDI_NVIDIA}{uuid}");
            if is_described(&id) {
                Some(Way::Driver { driver: CDI, id })
            } else {
                runtimes.contains_key(NVIDIA).then(|| Way::Driver { driver: NVIDIA, id: uuid.clone() })
            }
        }
        GpuDevice::Amd { kfd, render } => {
            let are_devices = [kfd, render].iter().all(|path| is_device(path));
            are_devices.then(|| Way::Files { kfd: kfd.clone(), render: render.clone() })
        }
        GpuDevice::None => None,
    };
    let placed = (0..=u8::MAX).zip(devices);
    placed.filter_map(|(place, device)| Some((place, way(device)?))).collect()
}

fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.file_type().is_char_device())
}

/// GPUs that containers have. The node's cores give each to one program; this holds where a container of an earlier one
/// does not go.
#[derive(Debug, Clone, Default)]
pub struct InUse(Arc<Mutex<BTreeSet<u8>>>);

/// GPUs of one container, until this is dropped.
#[derive(Debug)]
pub struct HeldGpus {
    places: Vec<u8>,
    all: InUse,
}

impl InUse {
    /// Those at these places, if no container has one.
    pub fn take(&self, places: &[u8]) -> Result<HeldGpus, Failure> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.iter().any(|place| taken.contains(place)) {
            let message = "a container that does not go has the GPU still".to_owned();
            return Err(Failure::ProviderStopped { message });
        }
        taken.extend(places);
        Ok(HeldGpus { places: places.to_vec(), all: self.clone() })
    }
}

impl Drop for HeldGpus {
    fn drop(&mut self) {
        let mut taken = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.places.iter().for_each(|place| {
            taken.remove(place);
        });
    }
}

/// GPUs that one container gets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passed {
    files: Vec<DeviceMapping>,
    requests: Vec<DeviceRequest>,
    groups: Vec<String>,
}

impl Passed {
    /// Those at these places.
    pub fn new(ways: &[(u8, Way)], places: &[u8]) -> Result<Self, Failure> {
        let mut passed = Self::default();
        for place in places {
            let way = ways.iter().find(|(known, _)| known == place).map(|(_, way)| way);
            let gone =
                || Failure::ProviderStopped { message: "a GPU is gone from the container engine".into() };
            passed.add(way.ok_or_else(gone)?).map_err(|error| Failure::ProviderStopped {
                message: format!("a GPU cannot be passed on: {error}"),
            })?;
        }
        Ok(passed)
    }

    fn add(&mut self, way: &Way) -> io::Result<()> {
        match way {
            Way::Driver { driver, id } => self.request(driver, id),
            Way::Files { kfd, render } => {
                let name = render.file_name().unwrap_or_default().to_string_lossy();
                self.file(kfd, KFD)?;
                self.file(render, &format!("{DRI}/{name}"))?;
            }
        }
        Ok(())
    }

    fn request(&mut self, driver: &str, id: &str) {
        let known = self.requests.iter_mut().find(|known| known.driver.as_deref() == Some(driver));
        if let Some(ids) = known.and_then(|known| known.device_ids.as_mut()) {
            ids.push(id.to_owned());
            return;
        }
        let capabilities = CAPABILITIES.map(str::to_owned).to_vec();
        self.requests.push(DeviceRequest {
            driver: Some(driver.to_owned()),
            device_ids: Some(vec![id.to_owned()]),
            capabilities: (driver == NVIDIA).then(|| vec![capabilities]),
            ..DeviceRequest::default()
        });
    }

    /// The program is nobody: it opens a device file as a member of the file's group.
    fn file(&mut self, path: &Path, target: &str) -> io::Result<()> {
        if self.files.iter().any(|known| known.path_in_container.as_deref() == Some(target)) {
            return Ok(());
        }
        let found = fs::metadata(path)?;
        let group = found.gid().to_string();
        // Nobody becomes a member of root's group, and of none without need.
        let is_for_all = found.mode() & FOR_ALL == FOR_ALL;
        if found.gid() != 0 && !is_for_all && !self.groups.contains(&group) {
            self.groups.push(group);
        }
        self.files.push(DeviceMapping {
            path_on_host: Some(path.to_string_lossy().into_owned()),
            path_in_container: Some(target.to_owned()),
            cgroup_permissions: Some("rw".to_owned()),
        });
        Ok(())
    }

    /// Whether the engine itself tells hooks which GPUs they are to hand out.
    pub fn are_named_by_engine(&self) -> bool {
        self.requests.iter().any(|request| request.driver.as_deref() == Some(NVIDIA))
    }

    pub fn files(&self) -> Option<Vec<DeviceMapping>> {
        (!self.files.is_empty()).then(|| self.files.clone())
    }

    pub fn requests(&self) -> Option<Vec<DeviceRequest>> {
        (!self.requests.is_empty()).then(|| self.requests.clone())
    }

    pub fn groups(&self) -> Option<Vec<String>> {
        (!self.groups.is_empty()).then(|| self.groups.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nvidia(uuid: &str) -> GpuDevice {
        GpuDevice::Nvidia { uuid: uuid.into() }
    }

    #[test]
    fn c5_an_engine_offers_the_gpus_that_it_can_pass_on() {
        let devices = [nvidia("GPU-a"), GpuDevice::None, nvidia("GPU-b"), nvidia("GPU-c")];
        let runtimes = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), Runtime::default())).collect::<HashMap<_, _>>()
        };
        assert_eq!(ways(&devices, &runtimes(&["runc"]), &[]), []);
        let driver = |id: &str| Way::Driver { driver: "nvidia", id: id.into() };
        let expected = [(0, driver("GPU-a")), (2, driver("GPU-b")), (3, driver("GPU-c"))];
        assert_eq!(ways(&devices, &runtimes(&["runc", "nvidia"]), &[]), expected);
        let described =
            |source: &str, id: &str| DeviceInfo { source: Some(source.into()), id: Some(id.into()) };
        let described =
            [described("cdi", "nvidia.com/gpu=GPU-b"), described("other", "nvidia.com/gpu=GPU-c")];
        let by_file = Way::Driver { driver: "cdi", id: "nvidia.com/gpu=GPU-b".into() };
        assert_eq!(ways(&devices, &runtimes(&["runc"]), &described), [(2, by_file)]);
        // Files that are no devices, as on a machine whose driver is not loaded, are no way.
        let amd = GpuDevice::Amd { kfd: "/dev/null".into(), render: "/etc/passwd".into() };
        assert_eq!(ways(&[amd], &runtimes(&["runc"]), &[]), []);
    }

    #[test]
    fn c5_no_two_containers_have_one_gpu() {
        let all = InUse::default();
        let first = all.take(&[0, 2]).unwrap();
        assert!(matches!(all.take(&[2]), Err(Failure::ProviderStopped { .. })));
        let other = all.take(&[1]).unwrap();
        drop(first);
        assert!(all.take(&[0, 2]).is_ok() && all.take(&[1]).is_err());
        drop(other);
        assert!(all.take(&[1]).is_ok() && all.take(&[]).is_ok());
    }

    #[test]
    fn c5_a_container_gets_the_gpus_of_its_task_and_no_other() {
        let files = Way::Files { kfd: "/dev/null".into(), render: "/dev/zero".into() };
        let driver = |id: &str| Way::Driver { driver: "nvidia", id: id.into() };
        let ways = [(0, driver("GPU-a")), (1, driver("GPU-b")), (2, files), (4, driver("GPU-c"))];
        let passed = Passed::new(&ways, &[0, 4]).unwrap();
        let [request] = passed.requests().unwrap().try_into().unwrap();
        assert_eq!(request.driver.as_deref(), Some("nvidia"));
        assert_eq!(request.device_ids.unwrap(), ["GPU-a", "GPU-c"]);
        assert_eq!(request.capabilities.unwrap(), [["gpu", "compute", "utility"]]);
        assert_eq!((request.count, request.options), (None, None));
        assert_eq!((passed.files(), passed.groups()), (None, None));
        assert!(passed.are_named_by_engine());
        let passed = Passed::new(&ways, &[2]).unwrap();
        let paths: Vec<_> =
            passed.files().unwrap().into_iter().filter_map(|file| file.path_in_container).collect();
        assert_eq!(paths, ["/dev/kfd", "/dev/dri/zero"]);
        assert_eq!((passed.requests(), passed.groups()), (None, None), "everybody may open these");
        assert!(!passed.are_named_by_engine());
        assert!(matches!(Passed::new(&ways, &[3]), Err(Failure::ProviderStopped { .. })));
        assert_eq!(Passed::new(&ways, &[]), Ok(Passed::default()));
    }
}
