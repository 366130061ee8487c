//! 1,797 handwritten digits of 8 by 8 pixels: the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin,
//! C. Kaynak, 1998, UCI Machine Learning Repository, CC BY 4.0), as scikit-learn ships it.

use std::io::Read;

use flate2::read::GzDecoder;
use ndarray::{Array2, Axis};

/// A row for each digit: 64 pixels from 0 to 16, then the label.
const CSV_GZ: &[u8] = include_bytes!("../digits.csv.gz");
const PIXELS: usize = 64;

#[derive(Clone)]
pub struct Digits {
    /// A row for each digit, from 0 to 1.
    pub pixels: Array2<f32>,
    pub labels: Vec<usize>,
}

impl Digits {
    pub fn shipped() -> Self {
        let mut csv = String::new();
        GzDecoder::new(CSV_GZ)
            .read_to_string(&mut csv)
            .expect("the file is shipped");
        let mut pixels = Vec::new();
        let mut labels = Vec::new();
        for row in csv.lines() {
            let mut numbers = row
                .split(',')
                .map(|number| number.parse::<u8>().expect("the file is shipped"));
            pixels.extend(numbers.by_ref().take(PIXELS).map(|pixel| f32::from(pixel) / 16.0));
            labels.extend(numbers.map(usize::from));
        }
        let pixels = Array2::from_shape_vec((labels.len(), PIXELS), pixels).expect("the file is shipped");
        Self { pixels, labels }
    }

    pub fn shuffled(&self, random: &mut fastrand::Rng) -> Self {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        random.shuffle(&mut order);
        self.select(&order)
    }

    /// Four fifths, and the last one.
    pub fn split_off_fifth(&self) -> (Self, Self) {
        let order: Vec<usize> = (0..self.labels.len()).collect();
        let (most, fifth) = order.split_at(order.len() - order.len() / 5);
        (self.select(most), self.select(fifth))
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self {
            pixels: self.pixels.select(Axis(0), rows),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
        }
    }

    /// The share of rows whose greatest logit is that of the label.
    pub fn accuracy(&self, logits: &Array2<f32>) -> f32 {
        let rows = logits.rows().into_iter().zip(&self.labels);
        let right = rows.filter(|(logits, label)| logits.iter().all(|logit| *logit <= logits[**label]));
        right.count() as f32 / self.labels.len() as f32
    }
}
