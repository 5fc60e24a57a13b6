// A scene of glass, metal and enamel balls on a checkered floor under an evening sky, traced after
// T. Whitted, "An improved illumination model for shaded display", 1980, with a sun of some size
// (soft shadows) and many samples a pixel (smooth edges).
#ifndef PICTURE_SCENE_H
#define PICTURE_SCENE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    double x, y, z;
} Vec; // a point, a direction or a colour (red, green, blue)

static inline Vec vec(double x, double y, double z) { return (Vec){x, y, z}; }
static inline Vec add(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline Vec sub(Vec a, Vec b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline Vec mul(Vec a, Vec b) { return vec(a.x * b.x, a.y * b.y, a.z * b.z); }
static inline Vec scale(Vec a, double by) { return vec(a.x * by, a.y * by, a.z * by); }
static inline double dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline Vec cross(Vec a, Vec b) { return vec(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x); }
static inline Vec unit(Vec a) { return scale(a, 1 / sqrt(dot(a, a))); }
static inline Vec mix(Vec a, Vec b, double share) { return add(scale(a, 1 - share), scale(b, share)); }
static inline double clamp01(double value) { return value < 0 ? 0 : value > 1 ? 1 : value; }
static inline double smooth(double from, double to, double value) {
    double t = clamp01((value - from) / (to - from));
    return t * t * (3 - 2 * t);
}
static inline Vec mirrored(Vec direction, Vec normal) { return sub(direction, scale(normal, 2 * dot(direction, normal))); }

typedef enum { ENAMEL, METAL, GLASS } Finish;

typedef struct {
    Vec center;
    double radius;
    Vec colour;
    Finish finish;
} Ball;

typedef struct {
    Vec from, direction;
} Ray;

typedef struct {
    double distance;
    Vec point, normal, colour;
    Finish finish;
    bool floor;
} Hit;

#define BEADS 34
#define BIG_BALLS 7
#define BALLS (BIG_BALLS + BEADS)
#define DEPTH_MAX 6
#define FAR 1e9
#define NEAR 1e-4
#define SUN_RADIUS 0.045 // of the sun's disc, as the tangent of its angle
#define GLASS_INDEX 1.5

static Ball balls[BALLS];
static Vec sun_direction, sun_side, sun_up;

static Vec hue(double turn) { // a soft rainbow
    return vec(0.5 + 0.42 * cos(6.2831853 * turn), 0.42 + 0.38 * cos(6.2831853 * (turn - 0.35)),
               0.5 + 0.45 * cos(6.2831853 * (turn - 0.62)));
}

static void scene_build(void) {
    sun_direction = unit(vec(-0.78, 0.50, 0.05));
    sun_side = unit(cross(sun_direction, vec(0, 1, 0)));
    sun_up = cross(sun_side, sun_direction);

    static const Ball big[BIG_BALLS] = {
        {{0.0, 1.25, 0.6}, 1.25, {0.93, 0.94, 0.96}, METAL},
        {{-2.35, 0.80, 0.1}, 0.80, {0.96, 0.99, 1.0}, GLASS},
        {{2.30, 0.85, 0.5}, 0.85, {1.00, 0.74, 0.34}, METAL},
        {{1.12, 0.42, -1.15}, 0.42, {0.86, 0.12, 0.14}, ENAMEL},
        {{-0.98, 0.36, -1.25}, 0.36, {0.05, 0.42, 0.52}, ENAMEL},
        {{-4.3, 1.0, 3.6}, 1.0, {0.32, 0.13, 0.48}, ENAMEL},
        {{4.6, 1.3, 4.4}, 1.3, {0.10, 0.22, 0.55}, ENAMEL},
    };
    for (int i = 0; i < BIG_BALLS; i++) balls[i] = big[i];
    for (int i = 0; i < BEADS; i++) { // a string of beads that winds outwards around the mirror
        double turn = (double)i / BEADS, angle = 6.2831853 * (1.55 * turn + 0.58);
        double distance = 2.0 + 2.1 * turn, radius = 0.13 + 0.06 * turn;
        Vec center = vec(distance * cos(angle) * 1.15, radius, 0.3 + distance * sin(angle));
        balls[BIG_BALLS + i] = (Ball){center, radius, hue(turn), i % 5 == 4 ? METAL : ENAMEL};
    }
}

// ---- what a ray meets ----

static double ball_distance(const Ball *ball, Ray ray) {
    Vec to = sub(ball->center, ray.from);
    double along = dot(to, ray.direction);
    double inside = ball->radius * ball->radius - (dot(to, to) - along * along);
    if (inside < 0) return FAR;
    double half = sqrt(inside);
    if (along - half > NEAR) return along - half;
    return along + half > NEAR ? along + half : FAR;
}

static Vec floor_colour(Vec point, double distance) {
    double u = point.x * 0.9, v = point.z * 0.9;
    bool dark = ((int64_t)floor(u) + (int64_t)floor(v)) & 1;
    Vec tile = dark ? vec(0.035, 0.04, 0.06) : vec(0.62, 0.58, 0.53);
    double edge = fmin(fabs(u - floor(u + 0.5)), fabs(v - floor(v + 0.5)));
    tile = scale(tile, 0.55 + 0.45 * smooth(0.004, 0.016, edge)); // joints
    return mix(tile, vec(0.31, 0.295, 0.28), smooth(12, 45, distance)); // too fine to see far away
}

static bool meet(Ray ray, Hit *hit) {
    int nearest = -1;
    double distance = FAR;
    for (int i = 0; i < BALLS; i++) {
        double to_ball = ball_distance(&balls[i], ray);
        if (to_ball < distance) distance = to_ball, nearest = i;
    }
    double to_floor = ray.direction.y < -1e-6 ? -ray.from.y / ray.direction.y : FAR;
    if (to_floor > NEAR && to_floor < distance) {
        Vec point = add(ray.from, scale(ray.direction, to_floor));
        *hit = (Hit){to_floor, point, vec(0, 1, 0), floor_colour(point, to_floor), ENAMEL, true};
        return true;
    }
    if (nearest < 0) return false;
    const Ball *ball = &balls[nearest];
    Vec point = add(ray.from, scale(ray.direction, distance));
    Vec normal = scale(sub(point, ball->center), 1 / ball->radius);
    *hit = (Hit){distance, point, normal, ball->colour, ball->finish, false};
    return true;
}

// The share of sunlight that reaches `point`. Glass lets most of it through.
static double sunlight(Vec point, Vec towards) {
    double light = 1;
    Ray ray = {point, towards};
    for (int i = 0; i < BALLS; i++) {
        if (ball_distance(&balls[i], ray) >= FAR) continue;
        if (balls[i].finish != GLASS) return 0;
        light *= 0.62;
    }
    return light;
}

// ---- the sky ----

static double noise_at(int64_t x, int64_t y) {
    uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (h ^ h >> 15) * (1.0 / 4294967296.0);
}

static double noise(double x, double y) { // smooth value noise
    double fx = floor(x), fy = floor(y), u = smooth(0, 1, x - fx), v = smooth(0, 1, y - fy);
    int64_t ix = (int64_t)fx, iy = (int64_t)fy;
    double low = noise_at(ix, iy) * (1 - u) + noise_at(ix + 1, iy) * u;
    double high = noise_at(ix, iy + 1) * (1 - u) + noise_at(ix + 1, iy + 1) * u;
    return low * (1 - v) + high * v;
}

static double clouds(Vec direction) {
    double x = direction.x / (direction.y + 0.09) * 0.55, y = direction.z / (direction.y + 0.09) * 1.5;
    double sum = 0, weight = 0.5;
    for (int octave = 0; octave < 5; octave++, weight *= 0.5) {
        sum += weight * noise(x, y);
        x = x * 2.03 + 17.1, y = y * 2.11 + 5.3;
    }
    return smooth(0.46, 0.86, sum) * smooth(0.015, 0.16, direction.y);
}

static Vec sky(Vec direction) {
    double height = fmax(direction.y, 0), to_sun = fmax(dot(direction, sun_direction), 0);
    Vec colour = mix(vec(1.05, 0.47, 0.24), vec(0.42, 0.37, 0.56), smooth(0, 0.20, height));
    colour = mix(colour, vec(0.035, 0.09, 0.29), smooth(0.06, 0.6, height));
    colour = add(colour, scale(vec(1.0, 0.50, 0.20), 0.55 * pow(to_sun, 6)));
    double cover = height > 0 ? clouds(direction) : 0;
    Vec lit = mix(vec(0.95, 0.62, 0.56), vec(1.5, 1.05, 0.72), pow(to_sun, 3));
    colour = mix(colour, lit, 0.8 * cover);
    return add(colour, scale(vec(9, 7, 4.6), smooth(0.9985, 0.9993, to_sun) * (1 - 0.8 * cover)));
}

// ---- light ----

static Vec trace(Ray ray, Vec towards_sun, int depth);

static double fresnel(double cosine, double at_normal) { // C. Schlick, 1994
    double m = 1 - cosine;
    return at_normal + (1 - at_normal) * m * m * m * m * m;
}

static Vec shade_glass(Ray ray, Hit hit, Vec towards_sun, int depth) {
    bool entering = dot(ray.direction, hit.normal) < 0;
    Vec normal = entering ? hit.normal : scale(hit.normal, -1);
    double ratio = entering ? 1 / GLASS_INDEX : GLASS_INDEX;
    double cosine = -dot(ray.direction, normal);
    double bent = 1 - ratio * ratio * (1 - cosine * cosine);
    double share = bent < 0 ? 1 : fresnel(entering ? cosine : sqrt(fmax(bent, 0)), 0.04);
    Vec colour = vec(0, 0, 0);
    if (share > 0.02) {
        Ray bounce = {hit.point, mirrored(ray.direction, normal)};
        colour = scale(trace(bounce, towards_sun, entering ? depth + 1 : depth + 2), share);
    }
    if (bent >= 0) {
        Vec direction = add(scale(ray.direction, ratio), scale(normal, ratio * cosine - sqrt(bent)));
        Ray through = {hit.point, unit(direction)};
        colour = add(colour, scale(mul(trace(through, towards_sun, depth + 1), hit.colour), 1 - share));
    }
    return colour;
}

static Vec shade_surface(Ray ray, Hit hit, Vec towards_sun, int depth) {
    double facing = dot(hit.normal, towards_sun);
    double light = facing > 0 ? sunlight(hit.point, towards_sun) : 0;
    double cosine = fmax(-dot(ray.direction, hit.normal), 0);
    Vec reflection = mirrored(ray.direction, hit.normal);
    double glint = pow(fmax(dot(reflection, towards_sun), 0), hit.finish == METAL ? 900 : 160) * light;

    double share = hit.finish == METAL ? 1 : fresnel(cosine, hit.floor ? 0.055 : 0.045) * (hit.floor ? 0.8 : 1);
    Vec tint = hit.finish == METAL ? mix(hit.colour, vec(1, 1, 1), fresnel(cosine, 0)) : vec(1, 1, 1);
    Vec colour = vec(0, 0, 0);
    if (hit.finish != METAL) {
        Vec from_sky = mix(vec(0.10, 0.075, 0.075), vec(0.12, 0.155, 0.26), 0.5 + 0.5 * hit.normal.y);
        Vec from_sun = scale(vec(3.1, 2.15, 1.35), fmax(facing, 0) * light);
        colour = scale(mul(hit.colour, add(from_sky, from_sun)), 1 - share);
    }
    if (share > 0.01) {
        Ray bounce = {hit.point, reflection};
        colour = add(colour, scale(mul(trace(bounce, towards_sun, depth + 1), tint), share));
    }
    return add(colour, scale(mul(tint, vec(2.6, 2.1, 1.5)), glint));
}

// How much of the sky the balls hide from a point on the floor: dark spots where they stand.
static double openness(Vec point) {
    double open = 1;
    for (int i = 0; i < BALLS; i++) {
        Vec to = sub(balls[i].center, point);
        double ratio = balls[i].radius * balls[i].radius / dot(to, to);
        double weight = balls[i].finish == GLASS ? 0.35 : 0.85;
        open *= 1 - weight * ratio * balls[i].center.y / sqrt(dot(to, to));
    }
    return open;
}

static Vec trace(Ray ray, Vec towards_sun, int depth) {
    Hit hit;
    if (depth > DEPTH_MAX || !meet(ray, &hit)) return sky(ray.direction);
    if (hit.finish == GLASS) return shade_glass(ray, hit, towards_sun, depth);
    if (hit.floor) hit.colour = scale(hit.colour, 0.25 + 0.75 * openness(hit.point));
    Vec colour = shade_surface(ray, hit, towards_sun, depth);
    if (!hit.floor) return colour;
    Vec haze = sky(unit(vec(ray.direction.x, 0.004, ray.direction.z)));
    return mix(colour, haze, 1 - exp(-hit.distance * hit.distance * 0.0009));
}

// ---- the camera ----

static uint8_t to_byte(double light) { // K. Narkowicz's fit of the ACES film curve, then sRGB
    double film = clamp01(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14));
    double encoded = film <= 0.0031308 ? 12.92 * film : 1.055 * pow(film, 1 / 2.4) - 0.055;
    return (uint8_t)(255 * encoded + 0.5);
}

static void scene_pixel(uint32_t x, uint32_t y, uint32_t width, uint32_t height, int samples, uint8_t *rgb) {
    Vec eye = vec(-0.45, 2.05, -7.4), look_at = vec(0.1, 0.84, 0.4);
    Vec forward = unit(sub(look_at, eye)), right = unit(cross(vec(0, 1, 0), forward)), up = cross(forward, right);
    double zoom = 2.05, shift = noise_at(x, y), turn = noise_at((int64_t)x + 7919, (int64_t)y + 104729);
    Vec sum = vec(0, 0, 0);
    for (int i = 0; i < samples; i++) {
        // M. Roberts' R2 sequence spreads the samples over the pixel, and others over the sun.
        double px = fmod(shift + i * 0.7548776662, 1), py = fmod(turn + i * 0.5698402910, 1);
        double angle = 6.2831853 * fmod(turn + i * 0.6180339887, 1);
        double reach = SUN_RADIUS * sqrt((i + shift) / samples);
        Vec off = add(scale(sun_side, reach * cos(angle)), scale(sun_up, reach * sin(angle)));
        double u = (2 * (x + px) - width) / height, v = (height - 2 * (y + py)) / height;
        Vec direction = unit(add(scale(forward, zoom), add(scale(right, u), scale(up, v))));
        Vec colour = trace((Ray){eye, direction}, unit(add(sun_direction, off)), 0);
        sum = add(sum, vec(fmin(colour.x, 4), fmin(colour.y, 4), fmin(colour.z, 4))); // no sparks
    }
    sum = scale(sum, 0.82 / samples);
    rgb[0] = to_byte(sum.x), rgb[1] = to_byte(sum.y), rgb[2] = to_byte(sum.z);
}

#endif
