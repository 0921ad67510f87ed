// Options that the parts of the local Azure share when they start alone.

/** A whole number within bounds, or an error that names the option. */
export function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} must be a whole number from ${least} to ${most}; it is "${text}".`);
}

/** Verifies Entra tokens of an issuer by its published keys. */
export async function verifier(issuer: string, jwks: string | undefined) {
  if (jwks === undefined) throw new Error('--issuer needs --jwks: the address of the keys that sign its tokens.');
  const { createRemoteJWKSet, jwtVerify } = await import('jose');
  const keys = createRemoteJWKSet(new URL(jwks));
  return async (jwt: string) => {
    const { payload } = await jwtVerify(jwt, keys, { issuer, requiredClaims: ['oid', 'exp', 'aud'] });
    return { oid: String(payload['oid']), aud: String(payload.aud) };
  };
}
