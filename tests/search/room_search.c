/*
 * room_search: walks through every state that the model can reach, breadth first, so that the first
 * broken promise found comes with a shortest way there, which is printed.
 *
 *     room_search [--no-fence] [LOSSES,CRASHES[,STORES[,STANDBYS]]]...
 *
 * Each argument is one walk with so much that may go wrong (struct budgets); 2,0 and 0,1 and 0,0,1
 * and 0,0,0,1 are the usual ones. --no-fence lets a roomd that was overtaken commit all the same:
 * that breaks a promise. Exit code 0: every reachable state was seen, and every promise held.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct node {
    struct packed state;
    uint32_t parent;
    struct action action; /* that led here from the parent */
};

struct search {
    struct node *nodes;
    uint32_t count, room;
    uint32_t *table; /* index + 1 of a node, by its state's hash; 0 = free */
    uint32_t mask;
    unsigned long steps;
    unsigned depth;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("room_search: no memory\n", stderr);
        exit(2);
    }
    return memory;
}

/* A multiply and fold of each word; the states differ in few bits. */
static uint64_t hash(const struct packed *state)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        sum = (sum ^ state->part[i]) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return sum;
}

static uint32_t *find_place(const struct search *search, const struct packed *state)
{
    uint32_t at = (uint32_t)hash(state) & search->mask;
    while (search->table[at] != 0 &&
           memcmp(&search->nodes[search->table[at] - 1].state, state, sizeof(*state)) != 0) {
        at = (at + 1) & search->mask;
    }
    return &search->table[at];
}

static void grow(struct search *search)
{
    search->room = search->room == 0 ? 1u << 16 : 2 * search->room;
    search->nodes = must(realloc(search->nodes, search->room * sizeof(*search->nodes)));
    free(search->table);
    search->mask = 2 * search->room - 1;
    search->table = must(calloc((size_t)search->mask + 1, sizeof(*search->table)));
    for (uint32_t i = 0; i < search->count; i++) {
        *find_place(search, &search->nodes[i].state) = i + 1;
    }
}

static void add(struct search *search, const struct packed *state, uint32_t parent,
                struct action action)
{
    if (search->count == search->room) {
        grow(search);
    }
    uint32_t *place = find_place(search, state);
    if (*place == 0) {
        search->nodes[search->count] = (struct node){*state, parent, action};
        *place = ++search->count;
    }
}

/* Prints the way to `node`, then `last` from there. The parts of a state are sorted, so names are
 * carried along. */
static void print_way(const struct search *search, uint32_t node, const struct action *last)
{
    struct action way[256];
    unsigned length = 0;
    char names[CLIENTS] = {'A', 'B', 'C'};
    struct packed state = search->nodes[0].state;
    if (last != NULL) {
        way[length++] = *last;
    }
    for (; node != 0 && length < 256; node = search->nodes[node].parent) {
        way[length++] = search->nodes[node].action;
    }
    for (unsigned n = 1; length-- > 0; n++) {
        unsigned char order[CLIENTS];
        char before[CLIENTS];
        const char *violation = NULL;
        struct packed next;
        printf("  %2u. ", n);
        model_print_action(stdout, way[length], names);
        model_apply(&state, way[length], &next, order, &violation);
        memcpy(before, names, sizeof(before));
        for (unsigned i = 0; i < CLIENTS; i++) {
            names[i] = before[order[i]];
        }
        state = next;
        model_print(stdout, &state, names);
    }
}

/* Tries every action in one state. Returns what was broken, or NULL. */
static const char *expand(struct search *search, uint32_t node)
{
    unsigned count;
    const struct action *actions = model_actions(&count);
    const struct packed state = search->nodes[node].state;
    const char *violation = model_check_rest(&state);
    if (violation != NULL) {
        print_way(search, node, NULL);
        return violation;
    }
    for (unsigned i = 0; i < count; i++) {
        struct packed next;
        unsigned char order[CLIENTS];
        if (!model_apply(&state, actions[i], &next, order, &violation)) {
            continue;
        }
        search->steps++;
        if (violation != NULL) {
            print_way(search, node, &actions[i]);
            return violation;
        }
        add(search, &next, node, actions[i]);
    }
    return NULL;
}

/* Walks through all that can be reached with so much that goes wrong. Returns true when every
 * promise held. */
static bool walk(struct budgets budgets)
{
    struct search search = {0};
    const struct packed start = model_start(budgets);
    const char *violation = NULL;
    uint32_t level_end = 1;
    clock_t began = clock();

    add(&search, &start, 0, (struct action){0});
    for (uint32_t node = 0; node < search.count && violation == NULL; node++) {
        if (node == level_end) {
            search.depth++;
            level_end = search.count;
        }
        violation = expand(&search, node);
    }
    printf("states seen: %u, steps: %lu, longest way: %u; 3 peers, 2 sessions each, %u lost "
           "connections or late wills, %u crashes of roomd or broker, %u lost stores, %u standbys; "
           "%.0f s\n",
           search.count, search.steps, search.depth, budgets.losses, budgets.crashes,
           budgets.stores, budgets.standbys, (double)(clock() - began) / CLOCKS_PER_SEC);
    if (violation != NULL) {
        printf("BROKEN: %s\n", violation);
    }
    free(search.nodes);
    free(search.table);
    return violation == NULL;
}

static bool read_walk(const char *text, struct budgets *out)
{
    *out = (struct budgets){0};
    return sscanf(text, "%u,%u,%u,%u", &out->losses, &out->crashes, &out->stores, &out->standbys) >=
               2 &&
           out->losses <= MODEL_BUDGETS_MAX.losses && out->crashes <= MODEL_BUDGETS_MAX.crashes &&
           out->stores <= MODEL_BUDGETS_MAX.stores && out->standbys <= MODEL_BUDGETS_MAX.standbys;
}

int main(int argc, char **argv)
{
    static char *usual[] = {"2,0", "0,1", "0,0,1", "0,0,0,1"};
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "--no-fence") == 0) {
        model_without_fence();
        first++;
    }
    char **walks = argc > first ? argv + first : usual;
    int count = argc > first ? argc - first : (int)(sizeof(usual) / sizeof(usual[0]));
    for (int i = 0; i < count; i++) {
        struct budgets budgets;
        if (!read_walk(walks[i], &budgets)) {
            fprintf(stderr, "room_search: not LOSSES,CRASHES[,STORES[,STANDBYS]]: %s\n", walks[i]);
            return 2;
        }
        if (!walk(budgets)) {
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
