//! Plans, and parts of them: groups, rows or columns from one index on, and tiles.

use crate::sweep::{Operand, Plan};

/// The inputs, then the outputs, with their indices.
pub(super) fn operands(plan: &Plan) -> impl Iterator<Item = (usize, &Operand)> {
    plan.inputs.iter().chain(&plan.outputs).enumerate()
}

/// Whether it has an element for each element of the tensors.
pub(super) fn is_walked(operand: &Operand) -> bool {
    operand.row_stride != 0 && !operand.is_broadcast
}

/// The inputs and outputs that have an element for each element of the tensors.
pub(super) fn walked(plan: &Plan) -> impl Iterator<Item = &Operand> {
    let operands = operands(plan).map(|(_, operand)| operand);
    operands.filter(|operand| is_walked(operand))
}

/// The number of elements of each tensor.
pub(super) fn elements(plan: &Plan) -> usize {
    plan.groups * plan.rows * plan.columns
}

/// Whether all rows of a group may be taken for one: they are contiguous, or the same number.
pub(super) fn are_one_row(plan: &Plan, size: usize) -> bool {
    operands(plan).all(|(_, operand)| {
        let is_number = operand.is_broadcast && operand.row_stride == 0;
        operand.start.is_null() || is_number || is_contiguous(operand, plan, size)
    })
}

/// Whether all operands are contiguous, over rows and groups.
pub(super) fn is_flat(plan: &Plan, size: usize) -> bool {
    operands(plan).all(|(_, operand)| operand.start.is_null() || is_contiguous(operand, plan, size))
}

pub(super) fn is_contiguous(operand: &Operand, plan: &Plan, size: usize) -> bool {
    !operand.is_broadcast
        && (plan.groups * plan.rows <= 1 || operand.row_stride == plan.columns * size)
        && (plan.groups <= 1 || operand.group_stride == plan.rows * operand.row_stride)
}

/// A contiguous operand that begins at `start`.
pub(super) fn contiguous(start: *mut u8, plan: &Plan, size: usize) -> Operand {
    let row_stride = plan.columns * size;
    Operand {
        start,
        row_stride,
        group_stride: plan.rows * row_stride,
        is_broadcast: false,
        size: size as u8,
    }
}

/// The plan whose only input is the first output.
pub(super) fn outputs_as_inputs(plan: &Plan) -> Plan {
    Plan {
        outputs: [Operand::NONE; _],
        ..with_inputs(plan, [plan.outputs[0]])
    }
}

/// The plan with other inputs.
pub(super) fn with_inputs<const N: usize>(plan: &Plan, inputs: [Operand; N]) -> Plan {
    let mut plan = *plan;
    plan.inputs = [Operand::NONE; _];
    plan.inputs[..N].copy_from_slice(&inputs);
    plan
}

/// An axis along which a plan can be split.
#[derive(Clone, Copy)]
pub(super) enum Axis {
    Groups,
    Rows,
    Columns,
}

/// `count` groups, rows or columns of a plan, from `first` on.
pub(super) fn part(plan: &Plan, axis: Axis, first: usize, count: usize) -> Plan {
    let mut part = *plan;
    match axis {
        Axis::Groups => part.groups = count,
        Axis::Rows => part.rows = count,
        Axis::Columns => part.columns = count,
    }
    if first == 0 {
        return part;
    }
    for operand in part.inputs.iter_mut().chain(&mut part.outputs) {
        let stride = match axis {
            Axis::Groups => operand.group_stride,
            Axis::Rows => operand.row_stride,
            Axis::Columns if operand.is_broadcast || operand.start.is_null() => 0,
            Axis::Columns => operand.size.into(),
        };
        operand.start = operand.start.wrapping_add(first.wrapping_mul(stride));
    }
    part
}

/// Calls `then` with parts of `step` groups, rows or columns, and where each begins.
#[inline]
pub(super) fn for_each_part(plan: &Plan, (axis, step): (Axis, usize), then: &mut dyn FnMut(usize, &Plan)) {
    let len = match axis {
        Axis::Groups => plan.groups,
        Axis::Rows => plan.rows,
        Axis::Columns => plan.columns,
    };
    if len <= step {
        if len > 0 {
            then(0, plan);
        }
        return;
    }
    for first in (0..len).step_by(step) {
        then(first, &part(plan, axis, first, step.min(len - first)));
    }
}

/// Calls `then` with the tiles of a plan: several groups, several rows of a group, or several columns of a row, at most
/// so many bytes. Each comes with the index of its first row.
// Not inlined, as other steps of a walk: inlined into each other they are several times as much code.
#[inline(never)]
pub(super) fn for_each_tile(plan: &Plan, size: usize, bytes: usize, then: &mut dyn FnMut(usize, &Plan)) {
    let elements = bytes >> size.trailing_zeros();
    let of_group = plan.rows.saturating_mul(plan.columns);
    let (groups, rows, columns) = if of_group.saturating_mul(plan.groups) <= elements {
        (plan.groups, plan.rows, plan.columns)
    } else if of_group <= elements {
        (elements / of_group, plan.rows, plan.columns)
    } else if plan.columns <= elements {
        (1, elements / plan.columns, plan.columns)
    } else {
        (1, 1, elements)
    };
    if of_group == 0 {
        return;
    }
    for_each_part(plan, (Axis::Groups, groups), &mut |_, plan| {
        for_each_part(plan, (Axis::Rows, rows), &mut |row, plan| {
            for_each_part(plan, (Axis::Columns, columns), &mut |_, plan| then(row, plan));
        });
    });
}
