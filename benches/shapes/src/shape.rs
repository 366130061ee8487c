//! The shapes of the sweep.

use rectify::Channels;

/// A tensor of channels, which is strided if there is a gap between its rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    pub is_first: bool,
    /// With channels last, pixels or rows of a matrix.
    pub images: usize,
    pub channels: usize,
    /// 1 with channels last.
    pub spatial: usize,
    /// Elements.
    pub gap: usize,
}

impl Shape {
    pub fn layout(self) -> Channels {
        if self.is_first {
            Channels::First { spatial: self.spatial }
        } else {
            Channels::Last
        }
    }

    pub fn rows(self) -> usize {
        self.elements() / self.columns()
    }

    pub fn columns(self) -> usize {
        if self.is_first { self.spatial } else { self.channels }
    }

    pub fn stride(self) -> usize {
        self.columns() + self.gap
    }

    pub fn elements(self) -> usize {
        self.images * self.channels * self.spatial
    }

    /// Shapes one step away along an axis, and the same numbers in the other layout.
    pub fn neighbours(self, sizes: &[usize]) -> Vec<Self> {
        let mut neighbours = Vec::new();
        let mut add = |size: usize, with: &dyn Fn(usize) -> Self| {
            let at = sizes.partition_point(|&other| other < size);
            let previous = sizes[..at].last();
            neighbours.extend(previous.into_iter().chain(sizes.get(at + 1)).map(|&size| with(size)));
        };
        add(self.images, &|images| Self { images, ..self });
        add(self.channels, &|channels| Self { channels, ..self });
        if self.is_first {
            add(self.spatial, &|spatial| Self { spatial, ..self });
        }
        if self.spatial == 1 && self.gap == 0 {
            let is_first = !self.is_first;
            neighbours.push(Self { is_first, ..self });
        }
        neighbours
    }
}

/// No tensor has more elements than this.
pub const MAX_ELEMENTS: usize = 1 << 16;

/// Nor more bytes.
pub const MAX_BYTES: usize = 1 << 18;

/// The gap of strided shapes.
const GAP: usize = 3;

const SIZES: [usize; 11] = [1, 3, 4, 7, 9, 16, 49, 64, 256, 1000, 4096];

/// Of the images of channels first.
const IMAGES: [usize; 3] = [1, 3, 64];

const ALL_SIZES: [usize; 23] = [
    1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49, 64, 100, 128, 256, 512, 1000, 1024, 2048, 4096,
];

pub fn sizes(is_full: bool) -> &'static [usize] {
    if is_full { &ALL_SIZES } else { &SIZES }
}

/// The shapes for elements of `size` bytes. Those with channels first are for passes that have channels.
pub fn shapes(has_channels: bool, size: usize, is_full: bool) -> Vec<Shape> {
    let sizes = sizes(is_full);
    let images: &[usize] = if is_full { sizes } else { &IMAGES };
    let mut shapes = Vec::new();
    for gap in [0, GAP] {
        let last = sizes
            .iter()
            .flat_map(|&images| sizes.iter().map(move |&channels| (images, channels, 1)));
        shapes.extend(last.map(|numbers| (false, numbers, gap)));
        for &spatial in if has_channels { sizes } else { &[] } {
            let first = images
                .iter()
                .flat_map(|&images| sizes.iter().map(move |&channels| (images, channels, spatial)));
            shapes.extend(first.map(|numbers| (true, numbers, gap)));
        }
    }
    let shapes = shapes
        .into_iter()
        .map(|(is_first, (images, channels, spatial), gap)| Shape {
            is_first,
            images,
            channels,
            spatial,
            gap,
        });
    let max = MAX_ELEMENTS.min(MAX_BYTES / size);
    shapes.filter(|shape| shape.elements() <= max).collect()
}
