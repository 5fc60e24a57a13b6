//! Nodes in pages, named by number: four bytes a link, no copy when it grows, freed places reused.

const PAGE: usize = 1 << 12;

/// Values of one kind. A place is used again once it was freed.
#[derive(Debug, Clone)]
pub(super) struct Arena<T> {
    pages: Vec<Vec<T>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T: Copy> Arena<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, at: u32) -> &T {
        &self.pages[at as usize / PAGE][at as usize % PAGE]
    }

    pub fn get_mut(&mut self, at: u32) -> &mut T {
        &mut self.pages[at as usize / PAGE][at as usize % PAGE]
    }

    pub fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        if let Some(at) = self.free.pop() {
            *self.get_mut(at) = value;
            return at;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let page = self.pages.len() - 1;
        let at = page * PAGE + self.pages[page].len();
        self.pages[page].push(value);
        u32::try_from(at).expect("an arena holds fewer than 2^32 values")
    }

    /// Gives a place back. The caller no longer holds a link to it.
    pub fn remove(&mut self, at: u32) {
        self.len -= 1;
        self.free.push(at);
    }

    pub fn memory_bytes(&self) -> usize {
        self.pages.len() * PAGE * size_of::<T>()
            + self.pages.capacity() * size_of::<Vec<T>>()
            + self.free.capacity() * size_of::<u32>()
    }
}
