//! A loop over the rows of tensors whose numbers for each channel may be of another format.

use core::marker::PhantomData;

use super::rows::{Cursor, FIRST_OUTPUT, Operand, Plan, RowsArgs};
use super::{ALIGNED_BYTES, RegisterOf, before_alignment, is_aligned, load_up_to, store};
use crate::isa::Isa;
use crate::simd::{FloatFn, Format, Padded, Pass, Register, Simd, Vector, VectorFn};

/// The first output is `G` of `F` of the four inputs, row by row. The result of `F` is rounded to `T`.
///
/// The first and the last input and the output are elements of `T`. The numbers of the second and third may be in
/// [`Format::ComputedIn`], too: `size` of the operand says which. All inputs but the first may be broadcast.
///
/// Contract: `function` points to a `G`, and `plan` can be read. Its inputs can be read, and the output written, at all groups, rows and columns. The
/// output overlaps no input unless it is that input. With `streaming`, [`fence`](crate::simd::fence) comes before any
/// other access to the output.
pub(crate) struct MapMixed<T, F, G>(PhantomData<(T, F, G)>);

type FloatOf<S, T> = <RegisterOf<S, <T as Format>::Lane> as Register>::Float;

/// Room for a broadcast number in as many lanes as a register of elements has.
type Room<T> = Padded<<T as Format>::ComputedIn>;

impl<T: Format, F: FloatFn<4> + Default, G: VectorFn<1, Lane = T::Lane>> Pass for MapMixed<T, F, G> {
    type Args = RowsArgs;
    type Output = ();

    #[inline(always)]
    unsafe fn walk<S: Simd>(simd: S, args: &RowsArgs) {
        // SAFETY: the contract of the pass. Both inputs are broadcast where `InRegisters` wants it, checked here.
        unsafe {
            let [_, second, third, _] = &(*args.plan).inputs;
            // Not for portable and scalar code, which takes twice the time anyway.
            if const { S::ISA as u8 >= Isa::Neon as u8 } && second.is_broadcast && third.is_broadcast {
                rows::<S, T, F, G, InRegisters<S, T>>(simd, args);
            } else {
                rows::<S, T, F, G, InMemory>(simd, args);
            }
        }
    }
}

/// # Safety
///
/// The contract of [`MapMixed`], and the second and third input are as `N` wants them.
#[inline(always)]
unsafe fn rows<S: Simd, T: Format, F: FloatFn<4> + Default, G: VectorFn<1, Lane = T::Lane>, N: Numbers<S, T>>(
    simd: S,
    args: &RowsArgs,
) {
    let (plan, streaming) = (args.plan, args.streaming);
    let mut rooms = [const { Room::<T>::uninit() }; 3];
    let [of_second, of_third, of_last] = &mut rooms;
    // SAFETY: `function` points to a `G`, `plan` and its operands can be read, and the output written: this function's contract.
    unsafe {
        let (function, mut cursor, groups) = (*args.function.cast::<G>(), Cursor::new(&*plan), (*plan).groups);
        for _ in 0..groups {
            for _ in 0..(*plan).rows {
                let start = |index: usize| cursor.starts[index].cast_const();
                let inputs = &(*plan).inputs;
                let row = Row {
                    simd,
                    plan,
                    function,
                    x: start(0).cast(),
                    numbers: [
                        N::of_row(simd, start(1), &inputs[1], of_second),
                        N::of_row(simd, start(2), &inputs[2], of_third),
                    ],
                    last: <InMemory as Numbers<S, T>>::of_row(simd, start(3), &inputs[3], of_last),
                    output: cursor.starts[FIRST_OUTPUT].cast(),
                    of: PhantomData::<(T, F)>,
                };
                row.walk((*plan).columns, streaming);
                cursor.next_row::<4, 1>();
            }
            cursor.next_group::<4, 1>();
        }
    }
}

/// A row of each operand.
struct Row<S, T: Format, F, G, N> {
    simd: S,
    plan: *const Plan,
    function: G,
    x: *const T::Lane,
    /// Those of the second and third input.
    numbers: [N; 2],
    last: InMemory,
    output: *mut T::Lane,
    of: PhantomData<(T, F)>,
}

impl<S: Simd, T: Format, F: FloatFn<4> + Default, G: VectorFn<1, Lane = T::Lane>, N: Numbers<S, T>> Row<S, T, F, G, N> {
    /// First the head up to the alignment of the output, if there is one, then all other elements, by the same code.
    ///
    /// # Safety
    ///
    /// The plan can be read, and each operand has `len` elements in this row: the contract of [`MapMixed`].
    #[inline(always)]
    unsafe fn walk(self, len: usize, streaming: bool) {
        let lanes = RegisterOf::<S, T::Lane>::LANES;
        let has_head = const { RegisterOf::<S, T::Lane>::LANES > 1 } && len * size_of::<T::Lane>() >= ALIGNED_BYTES;
        let mut end = if has_head {
            before_alignment::<S, T::Lane>(self.output)
        } else {
            len
        };
        let mut at = 0;
        loop {
            // Asked here: if it were the same for head and rest, the compiler would make two loops of this one.
            let is_aligned = has_head && is_aligned::<S, T::Lane>(self.output.wrapping_add(at));
            let streams = const { S::STREAMS } && streaming && is_aligned;
            // SAFETY: `at + lanes <= whole` or `at + count <= end`, and `end <= len`: a head is shorter than
            // `ALIGNED_BYTES`. `streams` is true only if the output is aligned at `at`.
            unsafe {
                let whole = end - (end - at) % lanes;
                while at != whole {
                    store(self.result(at, lanes), self.output.add(at), streams);
                    at += lanes;
                }
                if const { RegisterOf::<S, T::Lane>::LANES > 1 } && at < end {
                    self.result(at, end - at).store_first(self.output.add(at), end - at);
                    at = end;
                }
            }
            if end == len {
                return;
            }
            end = len;
        }
    }

    /// Returns the results for `count` elements at `at`.
    ///
    /// # Safety
    ///
    /// There are so many elements, at most those of a register.
    #[inline(always)]
    unsafe fn result(&self, at: usize, count: usize) -> RegisterOf<S, T::Lane> {
        let simd = self.simd;
        let [second, third] = self.numbers;
        // SAFETY: this function's contract; the plan can be read, and the last input is of `T`.
        let (x, second, third, last) = unsafe {
            let inputs = &(*self.plan).inputs;
            (
                elements::<S, T>(simd, self.x.add(at), count),
                second.at(simd, &inputs[1], at, count),
                third.at(simd, &inputs[2], at, count),
                elements::<S, T>(
                    simd,
                    self.last.start.cast::<T::Lane>().add(at & self.last.offset_mask),
                    count,
                ),
            )
        };
        let first = F::default().call(simd, [x[0], second[0], third[0], last[0]]);
        let second = if const { RegisterOf::<S, T::Lane>::FLOATS == 2 } {
            F::default().call(simd, [x[1], second[1], third[1], last[1]])
        } else {
            first
        };
        let [result] = self
            .function
            .call(simd, [RegisterOf::<S, T::Lane>::join::<T>([first, second])]);
        result
    }
}

/// The numbers of a row of the second or third input.
trait Numbers<S: Simd, T: Format>: Copy {
    /// # Safety
    ///
    /// The operand has a row at `start`. For [`InRegisters`] it is broadcast.
    unsafe fn of_row(simd: S, start: *const u8, operand: &Operand, room: &mut Room<T>) -> Self;

    /// Those of the register at `at`, of which `count` are loaded.
    ///
    /// # Safety
    ///
    /// The numbers are [of a row](Self::of_row) of `operand`, whose room still has what was stored there, and there are
    /// `count` from `at` on, at most those of a register.
    unsafe fn at(self, simd: S, operand: *const Operand, at: usize, count: usize) -> [FloatOf<S, T>; 2];
}

/// A number for all of a row.
struct InRegisters<S: Simd, T: Format>([FloatOf<S, T>; 2]);

impl<S: Simd, T: Format> Clone for InRegisters<S, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Simd, T: Format> Copy for InRegisters<S, T> {}

impl<S: Simd, T: Format> Numbers<S, T> for InRegisters<S, T> {
    #[inline(always)]
    unsafe fn of_row(simd: S, start: *const u8, operand: &Operand, _: &mut Room<T>) -> Self {
        // SAFETY: a broadcast row is one number: this function's contract.
        Self(unsafe {
            if is_wide::<T>(operand) {
                let number = FloatOf::<S, T>::splat(simd, start.cast::<FloatLaneOf<S, T>>().read_unaligned());
                RegisterOf::<S, T::Lane>::split_wide::<T>([number; 2])
            } else {
                RegisterOf::<S, T::Lane>::splat(simd, start.cast::<T::Lane>().read_unaligned()).split::<T>()
            }
        })
    }

    #[inline(always)]
    unsafe fn at(self, _: S, _: *const Operand, _: usize, _: usize) -> [FloatOf<S, T>; 2] {
        self.0
    }
}

/// Where a row of numbers is.
#[derive(Clone, Copy)]
struct InMemory {
    start: *const u8,
    /// ANDed with the offset: all ones, or 0 for a number that is repeated in the room.
    offset_mask: usize,
}

impl<S: Simd, T: Format> Numbers<S, T> for InMemory {
    #[inline(always)]
    unsafe fn of_row(simd: S, start: *const u8, operand: &Operand, room: &mut Room<T>) -> Self {
        if !operand.is_broadcast {
            return Self {
                start,
                offset_mask: usize::MAX,
            };
        }
        let room = room.as_mut_ptr();
        // SAFETY: a broadcast row is one number: this function's contract. The room is as large as two registers of any
        // instruction set where elements are converted, else as one.
        unsafe {
            if is_wide::<T>(operand) {
                let number = FloatOf::<S, T>::splat(simd, start.cast::<FloatLaneOf<S, T>>().read_unaligned());
                number.store(room.cast());
                number.store(room.cast::<FloatLaneOf<S, T>>().add(FloatOf::<S, T>::LANES));
            } else {
                let number = RegisterOf::<S, T::Lane>::splat(simd, start.cast::<T::Lane>().read_unaligned());
                number.store(room.cast());
            }
        }
        Self {
            start: room.cast_const().cast(),
            offset_mask: 0,
        }
    }

    #[inline(always)]
    unsafe fn at(self, simd: S, operand: *const Operand, at: usize, count: usize) -> [FloatOf<S, T>; 2] {
        // SAFETY: the operand can be read, and there are so many numbers, or a register of one that is repeated: this function's
        // contract.
        unsafe {
            // Read anew in each iteration: else the compiler makes a loop for each outcome.
            if is_wide::<T>(&*operand) {
                let source = self.start.cast::<T::ComputedIn>().add(at & self.offset_mask);
                wide_numbers::<S, T>(simd, source, count)
            } else {
                let source = self.start.cast::<T::Lane>().add(at & self.offset_mask);
                elements::<S, T>(simd, source, count)
            }
        }
    }
}

/// Whether the numbers are in the compute format, and that is wider than `T`.
#[inline(always)]
fn is_wide<T: Format>(operand: &Operand) -> bool {
    let wide = size_of::<T::ComputedIn>();
    wide > size_of::<T::Lane>() && usize::from(operand.size) == wide
}

type FloatLaneOf<S, T> = <FloatOf<S, T> as Vector>::Lane;

/// The elements of a register, of which `count` are loaded.
///
/// # Safety
///
/// `source` can be read for `count` lanes, at most those of a register.
#[inline(always)]
unsafe fn elements<S: Simd, T: Format>(simd: S, source: *const T::Lane, count: usize) -> [FloatOf<S, T>; 2] {
    // SAFETY: so many lanes can be read: this function's contract.
    unsafe { load_up_to::<S, T::Lane>(simd, source, count) }.split::<T>()
}

/// The numbers of a register of elements, in the compute format, of which `count` are loaded.
///
/// # Safety
///
/// `source` can be read for `count` numbers, at most those of a register of elements.
#[inline(always)]
unsafe fn wide_numbers<S: Simd, T: Format>(
    simd: S,
    mut source: *const T::ComputedIn,
    count: usize,
) -> [FloatOf<S, T>; 2] {
    let mut room = Room::<T>::uninit();
    // SAFETY: there are `count` numbers: this function's contract. They are aligned: a slice of numbers, or a room of a block at a
    // multiple of their size. The room is as large as two registers, and they are initialized before they are loaded.
    let floats = unsafe {
        if count < RegisterOf::<S, T::Lane>::LANES {
            room.as_mut_ptr().write_bytes(0, RegisterOf::<S, T::Lane>::LANES);
            room.as_mut_ptr().copy_from_nonoverlapping(source, count);
            source = room.as_mut_ptr();
        }
        let source = source.cast::<FloatLaneOf<S, T>>();
        let first = FloatOf::<S, T>::load(simd, source);
        let second = if const { RegisterOf::<S, T::Lane>::FLOATS == 2 } {
            FloatOf::<S, T>::load(simd, source.add(FloatOf::<S, T>::LANES))
        } else {
            first
        };
        [first, second]
    };
    RegisterOf::<S, T::Lane>::split_wide::<T>(floats)
}
