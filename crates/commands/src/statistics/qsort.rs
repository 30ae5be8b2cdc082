//! Quicksort as Bentley and McIlroy published it ("Engineering a Sort Function", 1993), with a look first whether the input is
//! sorted already. PostgreSQL sorts with it: which of several equally common combinations comes first shows in its
//! statistics, and the same order comes only from the same algorithm.

use std::cmp::Ordering;

type Cmp<'c, T> = &'c mut dyn FnMut(&T, &T) -> Ordering;

/// Sorts; equal elements end up where the algorithm leaves them.
pub fn sort<T>(a: &mut [T], cmp: Cmp<'_, T>) {
    let n = a.len();
    if n < 7 {
        for m in 1..n {
            let mut l = m;
            while l > 0 && cmp(&a[l - 1], &a[l]) == Ordering::Greater {
                a.swap(l, l - 1);
                l -= 1;
            }
        }
        return;
    }
    if (1..n).all(|i| cmp(&a[i - 1], &a[i]) != Ordering::Greater) {
        return;
    }
    let m = pivot(a, cmp);
    a.swap(0, m);
    let (left, right) = partition(a, cmp);
    sort(&mut a[..left], cmp);
    sort(&mut a[n - right..], cmp);
}

fn pivot<T>(a: &[T], cmp: Cmp<'_, T>) -> usize {
    let n = a.len();
    let (mut l, mut m, mut r) = (0, n / 2, n - 1);
    if n == 7 {
        return m;
    }
    if n > 40 {
        let d = n / 8;
        l = median(a, [l, l + d, l + 2 * d], cmp);
        m = median(a, [m - d, m, m + d], cmp);
        r = median(a, [r - 2 * d, r - d, r], cmp);
    }
    median(a, [l, m, r], cmp)
}

fn median<T>(a: &[T], [x, y, z]: [usize; 3], cmp: Cmp<'_, T>) -> usize {
    if cmp(&a[x], &a[y]) == Ordering::Less {
        if cmp(&a[y], &a[z]) == Ordering::Less {
            y
        } else if cmp(&a[x], &a[z]) == Ordering::Less {
            z
        } else {
            x
        }
    } else if cmp(&a[y], &a[z]) == Ordering::Greater {
        y
    } else if cmp(&a[x], &a[z]) == Ordering::Less {
        x
    } else {
        z
    }
}

/// Splits around the first element; returns how many are less and how many are greater. Equal ones go to the ends on the
/// way and to the middle at last.
fn partition<T>(a: &mut [T], cmp: Cmp<'_, T>) -> (usize, usize) {
    let n = a.len();
    // [0, pa) and (pd, n) equal the pivot; [pa, pb) is less, (pc, pd] greater. `pc` and `pd` are one past the place.
    let (mut pa, mut pb, mut pc, mut pd) = (1, 1, n, n);
    loop {
        while pb < pc {
            match cmp(&a[pb], &a[0]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    a.swap(pa, pb);
                    pa += 1;
                }
                Ordering::Less => {}
            }
            pb += 1;
        }
        while pb < pc {
            match cmp(&a[pc - 1], &a[0]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    a.swap(pc - 1, pd - 1);
                    pd -= 1;
                }
                Ordering::Greater => {}
            }
            pc -= 1;
        }
        if pb >= pc {
            break;
        }
        a.swap(pb, pc - 1);
        pb += 1;
        pc -= 1;
    }
    let d = pa.min(pb - pa);
    (0..d).for_each(|i| a.swap(i, pb - d + i));
    let d = (pd - pc).min(n - pd);
    (0..d).for_each(|i| a.swap(pb + i, n - d + i));
    (pb - pa, pd - pc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts() {
        let mut seed = 7u64;
        for n in [0, 1, 6, 7, 8, 40, 41, 1000] {
            let mut v: Vec<u64> = (0..n)
                .map(|_| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
                    (seed >> 33) % 50
                })
                .collect();
            let mut expected = v.clone();
            expected.sort_unstable();
            sort(&mut v, &mut |a, b| a.cmp(b));
            assert_eq!(v, expected);
        }
    }
}
