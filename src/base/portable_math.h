// Elementary functions that give the same bits on every platform. Those of the C library do not:
// with glibc 2.36, between CPUs with and without fused multiply-add one result in a thousand
// differs in the last place, and between x86-64 and ARM one cube root in six.
//
// Results are the exact values rounded once, but for a few in ten thousand that lie nearly in the
// middle of two doubles; none of some millions was off by more than 0.5001 units in the last place.
// Special values are those of C's Annex F. A call takes 50 to 400 ns on a PC.
#pragma once

namespace rivulet::portable {

double Exp(double x);
double Log(double x);
double Log2(double x);
double Log10(double x);
double Pow(double x, double y);
double Cbrt(double x);
double Hypot(double x, double y);

double Sin(double x);
double Cos(double x);
double Tan(double x);
double Asin(double x);
double Acos(double x);
double Atan(double x);
double Atan2(double y, double x);

double Sinh(double x);
double Cosh(double x);
double Tanh(double x);

}  // namespace rivulet::portable
