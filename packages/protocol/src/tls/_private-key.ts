import type { OnUnderrun } from '../bytes/cursor.ts';
import { contextTag, type DerReader } from '../codec/der.ts';
import { ecPrivateKey, rsaPrivateKey } from '../crypto/private-key.ts';
import type { CurveName, PrivateKey } from '../crypto/pubkey.ts';
import { ASN1, onlyValue, takeMagnitude, takeOid, takeSmall } from './_asn1.ts';
import { KEY_OIDS, takeCurve } from './_key-algorithms.ts';

/** PrivateKeyInfo, PKCS#8. RFC 5958, section 2 */
export function readPrivateKeyInfo(bytes: Uint8Array, onProblem: OnUnderrun): PrivateKey {
  const reader = onlyValue(bytes, ASN1.sequence, onProblem);
  if (takeSmall(reader, onProblem) > 1) onProblem('a PKCS#8 key of an unknown version');
  const algorithm = reader.inside(ASN1.sequence);
  const key = reader.take(ASN1.octetString);
  const oid = takeOid(algorithm, onProblem);
  if (oid === KEY_OIDS.rsa) return readRsaPrivateKey(key, onProblem);
  if (oid === KEY_OIDS.ec) return readEcPrivateKey(key, takeCurve(algorithm, onProblem), onProblem);
  return onProblem(`a key of kind ${oid}, which we cannot use`);
}

/** RSAPrivateKey, PKCS#1. RFC 8017, appendix A.1.2 */
export function readRsaPrivateKey(bytes: Uint8Array, onProblem: OnUnderrun): PrivateKey {
  const reader = onlyValue(bytes, ASN1.sequence, onProblem);
  if (takeSmall(reader, onProblem) !== 0) onProblem('an RSA key of more than two primes');
  const take = (): Uint8Array => takeMagnitude(reader, onProblem);
  const [modulus, exponent] = [take(), take()];
  take(); // the private exponent, which the five numbers after it replace
  const [prime1, prime2, exponent1, exponent2, coefficient] = [take(), take(), take(), take(), take()];
  reader.end();
  if (modulus.length > MAX_RSA_BYTES) onProblem('an RSA key out of range');
  return rsaPrivateKey({ modulus, exponent, prime1, prime2, exponent1, exponent2, coefficient });
}

/** ECPrivateKey, SEC 1. RFC 5915, section 3; the curve may be named outside or inside. */
export function readEcPrivateKey(bytes: Uint8Array, curve: CurveName | null, onProblem: OnUnderrun): PrivateKey {
  const reader = onlyValue(bytes, ASN1.sequence, onProblem);
  if (takeSmall(reader, onProblem) !== 1) onProblem('an EC key of an unknown version');
  const scalar = reader.take(ASN1.octetString);
  const named = insideCurve(reader.insideOptional(contextTag(0)), onProblem);
  if (scalar.length > MAX_SCALAR_BYTES) onProblem('an EC key out of range');
  if (curve !== null && named !== null && curve !== named) onProblem('an EC key that names two curves');
  return ecPrivateKey(curve ?? named ?? onProblem('an EC key without a curve'), scalar);
}

function insideCurve(parameters: DerReader | null, onProblem: OnUnderrun): CurveName | null {
  return parameters === null ? null : takeCurve(parameters, onProblem);
}

const MAX_RSA_BYTES = 2048;
const MAX_SCALAR_BYTES = 66; // P-521
