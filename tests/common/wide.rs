//! Real numbers to about 106 bits, as a sum of two `f64`: what the error of a function is measured by.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::format::power_of_2;

/// `high + low`, where `high` is the `f64` nearest to it.
#[derive(Clone, Copy, Debug)]
pub struct Wide {
    pub high: f64,
    pub low: f64,
}

impl Wide {
    /// `high + low`, where `high` is not less.
    fn normalized(high: f64, low: f64) -> Self {
        // What is lost of infinity is none.
        let low = if low.is_finite() { low } else { 0.0 };
        let sum = high + low;
        Self {
            high: sum,
            low: low - (sum - high),
        }
    }

    pub fn is_positive(self) -> bool {
        self.high > 0.0
    }

    pub fn abs(self) -> Self {
        if self.high < 0.0 { -self } else { self }
    }

    /// e^self is 2^n times 1 plus the number.
    fn exp_parts(self) -> (Self, i32) {
        // ln(2) to 106 bits.
        let ln_2 = Self {
            high: std::f64::consts::LN_2,
            low: 2.3190468138462996e-17,
        };
        let n = (self.high / ln_2.high).round();
        let eighths = Self::from(power_of_2(-8));
        let r = (self - ln_2 * Self::from(n)) * eighths;
        // The series of e^r - 1, and then that of twice r eight times.
        let one = Self::from(1.0);
        let series = (2..16)
            .rev()
            .fold(one, |sum, i| one + sum * r / Self::from(f64::from(i)));
        let growth = (0..8).fold(series * r, |growth, _| growth * (growth + Self::from(2.0)));
        (growth, n as i32)
    }

    /// e^self, where it doesn't leave the range of `f64`. What is below its numbers is 0.
    pub fn exp(self) -> Self {
        if self.high < -1000.0 {
            return Self::from(0.0);
        }
        let (growth, n) = self.exp_parts();
        let half = n / 2;
        (growth + Self::from(1.0)) * Self::from(power_of_2(half)) * Self::from(power_of_2(n - half))
    }

    /// log(1 + self) for a number from 0 to 1.
    pub fn ln_1p(self) -> Self {
        // A step of Newton's method from the logarithm in `f64`.
        let near = Self::from(self.high.ln_1p());
        let growth = near.exp_m1();
        near + (self - growth) / (growth + Self::from(1.0))
    }

    /// e^self - 1, next to 0 too.
    pub fn exp_m1(self) -> Self {
        if self.high < -1000.0 {
            return Self::from(-1.0);
        }
        if self.high.abs() < power_of_2(-120) {
            return self;
        }
        match self.exp_parts() {
            (growth, 0) => growth,
            _ => self.exp() - Self::from(1.0),
        }
    }
}

impl Wide {
    /// The standard normal distribution's density.
    pub fn normal_density(self) -> Self {
        // sqrt(2 π) to 106 bits.
        let root = Self {
            high: 2.5066282746310007,
            low: -1.8328579980459167e-16,
        };
        (-(self * self) * Self::from(0.5)).exp() / root
    }

    /// The standard normal distribution at -self, for self >= 0.
    pub fn normal_tail(self) -> Self {
        let [one, half] = [1.0, 0.5].map(Self::from);
        let density = self.normal_density();
        if density.high == 0.0 {
            return density;
        }
        if self.high < 5.0 {
            // x + x³ / 3 + x⁵ / (3 * 5) + ...
            let square = self * self;
            let (mut term, mut sum, mut odd) = (self, self, 3.0);
            while term.high > sum.high * power_of_2(-108) {
                term = term * square / Self::from(odd);
                sum = sum + term;
                odd += 2.0;
            }
            return half - density * sum;
        }
        // Mills's ratio: 1 / (x + 1 / (x + 2 / (x + ...)))
        let fraction = (1..60)
            .rev()
            .fold(self, |fraction, i| self + Self::from(f64::from(i)) / fraction);
        density * one / fraction
    }
}

impl From<f64> for Wide {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Neg for Wide {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            high: -self.high,
            low: -self.low,
        }
    }
}

impl Add for Wide {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let two_sum = |a: f64, b: f64| {
            let sum = a + b;
            let of_b = sum - a;
            (sum, (a - (sum - of_b)) + (b - of_b))
        };
        let (high, rest) = two_sum(self.high, other.high);
        let (low, least) = two_sum(self.low, other.low);
        let sum = Self::normalized(high, rest + low);
        Self::normalized(sum.high, sum.low + least)
    }
}

impl Sub for Wide {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Wide {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = self.high * other.high;
        let rest = self.high.mul_add(other.high, -product);
        Self::normalized(product, rest + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Wide {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let first = Self::from(self.high / other.high);
        if first.high.abs() > 1e290 {
            // The way back may overflow.
            return first;
        }
        let rest = self - first * other;
        let second = Self::from(rest.high / other.high);
        let rest = rest - second * other;
        first + second + Self::from(rest.high / other.high)
    }
}
