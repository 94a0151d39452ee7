/**
 * The error function in f64, to within 1 ulp: rational approximations on four intervals.
 *
 * Source: `s_erf.c` of fdlibm, where each interval is derived. An odd function: −0 gives −0.
 *
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc. business. Permission to
 * use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */

/** erf x. */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (a < 0.84375) return a < 2 ** -28 ? x + slopeMinusOne * x : x + x * nearZero(x * x)
  if (Number.isNaN(x)) return NaN
  const y = a < 1.25 ? nearOne(a - 1) : a < 6 ? 1 - upperTail(a) : 1
  return x < 0 ? -y : y
}

/** 2/√π − 1. */
const slopeMinusOne = 1.28379167095512586316e-1

/** erf x / x − 1 on [0, 0.84375], of z = x². */
const nearZero = (z: number): number =>
  (1.28379167095512558561e-1 +
    z *
      (-3.2504210724700149937e-1 +
        z * (-2.84817495755985104766e-2 + z * (-5.77027029648944159157e-3 + z * -2.37630166566501626084e-5)))) /
  (1 +
    z *
      (3.97917223959155352819e-1 +
        z *
          (6.50222499887672944485e-2 +
            z * (5.08130628187576562776e-3 + z * (1.32494738004321644526e-4 + z * -3.9602282787753681232e-6)))))

/** erf(1 + s) on [0.84375, 1.25]: its middle value there, with few bits, and what is missing. */
const nearOne = (s: number): number =>
  8.45062911510467529297e-1 +
  (-2.36211856075265944077e-3 +
    s *
      (4.14856118683748331666e-1 +
        s *
          (-3.72207876035701323847e-1 +
            s *
              (3.18346619901161753674e-1 +
                s * (-1.10894694282396677476e-1 + s * (3.54783043256182359371e-2 + s * -2.166375594868790843e-3)))))) /
    (1 +
      s *
        (1.06420880400844228286e-1 +
          s *
            (5.40397917702171048937e-1 +
              s *
                (7.18286544141962662868e-2 +
                  s * (1.26171219808761642112e-1 + s * (1.36370839120290507362e-2 + s * 1.1984499846799107417e-2))))))

/** 1 − erf x for x in [1.25, 6]: e^(−x² − 0.5625 + R(1/x²)) / x. x is split so that the square of its larger part is exact. */
const upperTail = (x: number): number => {
  const s = 1 / (x * x)
  const z = Math.fround(x)
  const correction = x < 1 / 0.35 ? tailBelow(s) : tailAbove(s)
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + correction)) / x
}

/** R on [1.25, 1/0.35], of s = 1/x². */
const tailBelow = (s: number): number =>
  (-9.86494403484714822705e-3 +
    s *
      (-6.93858572707181764372e-1 +
        s *
          (-1.05586262253232909814e1 +
            s *
              (-6.23753324503260060396e1 +
                s *
                  (-1.62396669462573470355e2 +
                    s *
                      (-1.84605092906711035994e2 + s * (-8.12874355063065934246e1 + s * -9.81432934416914548592))))))) /
  (1 +
    s *
      (1.96512716674392571292e1 +
        s *
          (1.376577541435190426e2 +
            s *
              (4.34565877475229228821e2 +
                s *
                  (6.45387271733267880336e2 +
                    s *
                      (4.29008140027567833386e2 +
                        s *
                          (1.08635005541779435134e2 +
                            s * (6.57024977031928170135 + s * -6.04244152148580987438e-2))))))))

/** R on [1/0.35, 6]. */
const tailAbove = (s: number): number =>
  (-9.86494292470009928597e-3 +
    s *
      (-7.99283237680523006574e-1 +
        s *
          (-1.77579549177547519889e1 +
            s *
              (-1.60636384855821916062e2 +
                s * (-6.37566443368389627722e2 + s * (-1.02509513161107724954e3 + s * -4.83519191608651397019e2)))))) /
  (1 +
    s *
      (3.03380607434824582924e1 +
        s *
          (3.25792512996573918826e2 +
            s *
              (1.53672958608443695994e3 +
                s *
                  (3.19985821950859553908e3 +
                    s * (2.55305040643316442583e3 + s * (4.74528541206955367215e2 + s * -2.24409524465858183362e1)))))))
