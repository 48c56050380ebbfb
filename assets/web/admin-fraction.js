// Exact parts of a canvas, as the server has them: "1/3" stays a third.
// In: what a layout's JSON holds, or a number. Out: sums without error, and JSON again. Never: a denominator over a million.

const LARGEST = 1_000_000;
const DECIMALS = 10_000;
const WRITTEN = /^\s*(\d{1,7})\s*\/\s*(\d{1,7})\s*$/;
const DECIMAL = /^\s*\d?(\.\d{1,6})?\s*$/;

export class Fraction {
  constructor(numerator, denominator) {
    const shared = common(Math.abs(numerator), denominator);
    this.numerator = numerator / shared;
    this.denominator = denominator / shared;
  }

  /** Reads "1/3", "0.25" or 0.25; undefined where that is no fraction from 0 to 1. */
  static read(value) {
    const text = String(value ?? "");
    const [, over, under] = text.match(WRITTEN) ?? [];
    if (under) return Number(under) > 0 && Number(over) <= Number(under) ? new Fraction(Number(over), Number(under)) : undefined;
    if (!DECIMAL.test(text) || !/\d/.test(text) || Number(text) > 1) return undefined;
    return new Fraction(Math.round(Number(text) * LARGEST), LARGEST);
  }

  /** The nearest with four decimals. */
  static near(number) {
    return new Fraction(Math.round(number * DECIMALS), DECIMALS);
  }

  get value() {
    return this.numerator / this.denominator;
  }

  plus({ numerator, denominator }) {
    return new Fraction(this.numerator * denominator + numerator * this.denominator, this.denominator * denominator);
  }

  minus({ numerator, denominator }) {
    return new Fraction(this.numerator * denominator - numerator * this.denominator, this.denominator * denominator);
  }

  /** Small ones as "1/3", others as a decimal; what neither holds exactly is rounded down, so that no sum grows over 1. */
  toJSON() {
    if (this.denominator === 1) return String(this.numerator);
    if (this.denominator <= 100) return `${this.numerator}/${this.denominator}`;
    if (LARGEST % this.denominator === 0) return this.value;
    return this.denominator <= LARGEST ? `${this.numerator}/${this.denominator}` : Math.floor(this.value * DECIMALS) / DECIMALS;
  }
}

export const ZERO = new Fraction(0, 1);
export const ONE = new Fraction(1, 1);

function common(a, b) {
  return b === 0 ? a || 1 : common(b, a % b);
}
